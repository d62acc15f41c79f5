/**
 * A Redis Cluster for one test, on free ports: primaries with equal shares of the slots, each with its replicas. All of
 * them end with the test process, however that ends.
 */
import { clusterNodeConfig, type ClusterNodeOptions } from './cluster-node-config.js';
import { clusterNodesOf, type ClusterNode } from './cluster-nodes.js';
import { eventually } from './eventually.js';
import { withClient } from './redis-server-client.js';
import { RedisServer } from './redis-server.js';
import { SlotMigration } from './slot-migration.js';

const HOST = '127.0.0.1';
const SLOTS = 16_384;
const SETTLED_LIMIT_MS = 60_000;

export interface RedisClusterOptions extends ClusterNodeOptions {
  readonly primaries?: number;
  /** Of each primary. */
  readonly replicas?: number;
}

export class RedisClusterServers {
  readonly #servers: RedisServer[] = [];

  private constructor(private readonly options: RedisClusterOptions) {}

  static async start(options: RedisClusterOptions = {}): Promise<RedisClusterServers> {
    const cluster = new RedisClusterServers(options);
    try {
      await cluster.#create();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** At first the primaries in the order of their slots, then the replicas in the order of their primaries. */
  get servers(): readonly RedisServer[] {
    return this.#servers;
  }

  get password(): string | undefined {
    return this.options.password;
  }

  get addresses(): readonly { host: string; port: number }[] {
    return this.#servers.map(({ port }) => ({ host: HOST, port }));
  }

  /** One command to one node, over a separate connection. */
  command(server: RedisServer, name: string, ...words: readonly string[]): Promise<unknown> {
    return withClient(server, this.password, (client) => client.call(name, ...words));
  }

  /** The same where the node imports the slot of the key. */
  commandAsking(server: RedisServer, name: string, ...words: readonly string[]): Promise<unknown> {
    return withClient(server, this.password, async (client) => {
      const [, reply] = await Promise.all([client.call('ASKING'), client.call(name, ...words)]);
      return reply;
    });
  }

  /** The slot of a key. */
  async slotOf(key: string): Promise<number> {
    return Number(await this.command(this.#anyRunning(), 'CLUSTER', 'KEYSLOT', key));
  }

  /** The primary of a slot, or of a key, as most of the nodes see it. */
  async primaryOf(slotOrKey: number | string): Promise<RedisServer> {
    const slot = typeof slotOrKey === 'number' ? slotOrKey : await this.slotOf(slotOrKey);
    const votes = new Map<RedisServer, number>();
    for (const nodes of await this.#views()) {
      const owner = nodes.find(({ hasSlot }) => hasSlot(slot));
      const server = owner && this.#servers.find(({ port }) => port === owner.port);
      if (server) votes.set(server, (votes.get(server) ?? 0) + 1);
    }
    const [most] = [...votes].sort((one, other) => other[1] - one[1]);
    if (!most) throw new Error(`No node has slot ${slot}`);
    return most[0];
  }

  /** Every node that is a primary by its own account and has slots. */
  async primaries(): Promise<readonly RedisServer[]> {
    return this.#thoseThat(({ isPrimary, slots }) => isPrimary && slots.length > 0);
  }

  /** A running replica of the primary. */
  async replicaOf(primary: RedisServer): Promise<RedisServer> {
    const id = await this.idOf(primary);
    const [replica] = await this.#thoseThat(({ primaryId }) => primaryId === id);
    if (!replica) throw new Error(`The primary on port ${primary.port} has no replica`);
    return replica;
  }

  async idOf(server: RedisServer): Promise<string> {
    return String(await this.command(server, 'CLUSTER', 'MYID'));
  }

  /**
   * CLUSTER FAILOVER; returns when all running nodes name the replica as the primary. `force` and `takeover` do not
   * wait for the primary, and `takeover` not for the other primaries either.
   */
  async failOver(replica: RedisServer, how?: 'force' | 'takeover'): Promise<void> {
    const words = how === undefined ? [] : [how.toUpperCase()];
    await eventually(() => this.command(replica, 'CLUSTER', 'FAILOVER', ...words));
    await this.hasTakenOver(replica);
    await this.isPrimary(replica);
  }

  /** The node itself says that it is a primary. */
  async hasTakenOver(server: RedisServer): Promise<void> {
    await eventually(async () => {
      const own = (await this.#nodesOf(server)).find(({ isMyself }) => isMyself);
      if (own?.isPrimary !== true) throw new Error('The replica has not taken over yet');
    }, SETTLED_LIMIT_MS);
  }

  /** All running nodes see a primary in the node. */
  async isPrimary(server: RedisServer): Promise<void> {
    await this.#settled(
      'the node is no primary everywhere yet',
      (nodes) => nodes.find(({ port }) => port === server.port)?.isPrimary === true,
    );
  }

  /** Moves a slot with its keys; clients meanwhile get ASK, and afterwards MOVED. */
  async migrateSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
    const migration = new SlotMigration(this, slot, from, to);
    await migration.begin();
    await migration.end();
  }

  /** All running nodes name the server as the owner of the slot. */
  async ownsEverywhere(slot: number, server: RedisServer): Promise<void> {
    await this.#settled(
      `slot ${slot} has not moved everywhere yet`,
      (nodes) => nodes.find(({ hasSlot }) => hasSlot(slot))?.port === server.port,
    );
  }

  /** A node more: a primary without slots, or a replica. */
  async addNode(primary?: RedisServer): Promise<RedisServer> {
    const known = this.#anyRunning();
    const server = await this.#startNode();
    await this.#meet(server, known);
    await this.#areKnown();
    if (primary) await this.#replicate(server, primary);
    await this.isWhole();
    return server;
  }

  /** Ends a node without slots; every other node forgets it. */
  async removeNode(server: RedisServer): Promise<void> {
    const id = await this.idOf(server);
    const own = (await this.#nodesOf(server)).find(({ isMyself }) => isMyself);
    if (own && own.slots.length > 0) throw new Error('Move the slots of the node away first');
    this.#servers.splice(this.#servers.indexOf(server), 1);
    await server.stop();
    for (const other of this.#running()) await this.command(other, 'CLUSTER', 'FORGET', id);
  }

  /** All running nodes know each other, and serve all slots. */
  async isWhole(): Promise<void> {
    await this.#areKnown();
    for (const server of this.#running()) {
      await eventually(async () => {
        const text = String(await this.command(server, 'CLUSTER', 'INFO'));
        const isServed = text.includes('cluster_state:ok') && text.includes(`_slots_ok:${SLOTS}`);
        if (!isServed) throw new Error(`A node does not see all slots served:\n${text}`);
      }, SETTLED_LIMIT_MS);
    }
  }

  /** Every node runs, and every replica is in step with its primary. */
  async areReplicated(): Promise<void> {
    const replicas = await this.#thoseThat(({ isPrimary }) => !isPrimary);
    if (this.#running().length < this.#servers.length) throw new Error('A node is away');
    for (const replica of replicas) await this.hasFollowed(replica);
  }

  /** No node moves a slot away or receives one. */
  async areSlotsClosed(): Promise<void> {
    for (const server of this.#running()) {
      const own = (await this.#nodesOf(server)).find(({ isMyself }) => isMyself);
      const open = own?.openSlots.join(' ') ?? '';
      if (open !== '') throw new Error(`The node on port ${server.port} has open slots: ${open}`);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async #create(): Promise<void> {
    const { primaries = 3, replicas = 1 } = this.options;
    for (let index = 0; index < primaries * (1 + replicas); index += 1) await this.#startNode();
    const [first, ...others] = this.#servers;
    if (!first) throw new Error('A cluster has at least one primary');
    const share = Math.ceil(SLOTS / primaries);
    const owners = this.#servers.slice(0, primaries);
    for (const [index, server] of this.#servers.entries()) {
      // Different from the beginning, so that no two nodes have to agree on it.
      await this.command(server, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      if (index >= primaries) continue;
      const range = [index * share, Math.min((index + 1) * share, SLOTS) - 1].map(String);
      await this.command(server, 'CLUSTER', 'ADDSLOTSRANGE', ...range);
    }
    for (const other of others) await this.#meet(other, first);
    await this.#areKnown();
    for (const [index, replica] of this.#servers.slice(primaries).entries()) {
      await this.#replicate(replica, owners[index % primaries] as RedisServer);
    }
    await this.isWhole();
  }

  async #startNode(): Promise<RedisServer> {
    const config = await clusterNodeConfig(this.options);
    const server = await RedisServer.start({ isClusterNode: true, config });
    this.#servers.push(server);
    return server;
  }

  async #meet(server: RedisServer, known: RedisServer): Promise<void> {
    const ports = [known.port, known.clusterPort].map(String);
    await this.command(server, 'CLUSTER', 'MEET', HOST, ...ports);
  }

  /** All running nodes know each other, and find no fault with each other. */
  async #areKnown(): Promise<void> {
    const ports = this.#running().map(({ port }) => port);
    await this.#settled('not all nodes know each other yet', (nodes) =>
      ports.every((port) => nodes.some((node) => node.port === port && !node.isFailing)),
    );
  }

  /** Returns when the replica has the data of its primary, and all running nodes know it as its replica. */
  async #replicate(replica: RedisServer, primary: RedisServer): Promise<void> {
    const id = await this.idOf(primary);
    await eventually(() => this.command(replica, 'CLUSTER', 'REPLICATE', id));
    await this.hasFollowed(replica);
    await this.#settled(
      'a replica is not known everywhere yet',
      (nodes) => nodes.find(({ port }) => port === replica.port)?.primaryId === id,
    );
  }

  /** The node is a replica in step with its primary. */
  async hasFollowed(replica: RedisServer): Promise<void> {
    await eventually(async () => {
      const text = String(await this.command(replica, 'INFO', 'replication'));
      if (!text.includes('master_link_status:up')) throw new Error('a replica is not in step yet');
    }, SETTLED_LIMIT_MS);
  }

  async #settled(
    problem: string,
    isSettled: (nodes: readonly ClusterNode[]) => boolean,
  ): Promise<void> {
    await eventually(async () => {
      if (!(await this.#views()).every(isSettled)) throw new Error(problem);
    }, SETTLED_LIMIT_MS);
  }

  async #thoseThat(isFit: (node: ClusterNode) => boolean): Promise<readonly RedisServer[]> {
    const fit: RedisServer[] = [];
    for (const server of this.#running()) {
      const own = (await this.#nodesOf(server)).find(({ isMyself }) => isMyself);
      if (own && isFit(own)) fit.push(server);
    }
    return fit;
  }

  /** What each running node knows of the cluster. */
  #views(): Promise<readonly (readonly ClusterNode[])[]> {
    return Promise.all(this.#running().map((server) => this.#nodesOf(server)));
  }

  async #nodesOf(server: RedisServer): Promise<readonly ClusterNode[]> {
    return clusterNodesOf(String(await this.command(server, 'CLUSTER', 'NODES')));
  }

  #running(): readonly RedisServer[] {
    return this.#servers.filter(({ isAnswering }) => isAnswering);
  }

  #anyRunning(): RedisServer {
    const [server] = this.#running();
    if (!server) throw new Error('No node is left');
    return server;
  }
}
