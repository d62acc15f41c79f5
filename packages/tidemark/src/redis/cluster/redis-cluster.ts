/**
 * The nodes of a Redis Cluster as one process sees them: a connection to each primary, and the way from a slot to the
 * connection of its primary. A primary without slots is connected too: it says so when it begins to receive one.
 *
 * At first the seeds are asked which primaries there are. Then each connected primary is asked with each of its
 * heartbeats, and all of them at once when a node goes down or answers that a slot is elsewhere. If none with slots is
 * connected any more, the seeds and all nodes known so far are asked again. A connection stays while any of the connected
 * primaries with slots names its node as a primary, or the node has an open slot.
 *
 * Each connection finds the outages of its node as that of a single Redis does. A link (bucket-link.ts) follows the slot
 * of its bucket from node to node.
 */
import type { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { describeEndpoint, type NodeEndpoint } from '../connection/node-address.js';
import { OutageState, type RedisLog } from '../connection/outage-state.js';
import type { RedisConnection } from '../connection/redis-connection.js';
import { textOf } from '../connection/redis.errors.js';
import { ClusterNode } from './cluster-node.js';
import { askSeeds, describeCluster, type ClusterTarget } from './cluster-seeds.js';
import { ClusterTopology } from './cluster-topology.js';
import { mapped, type ClusterView } from './cluster-view.js';
import { tagIn, wordsForSlots } from './slots.js';

/** Follows one slot. */
export interface SlotFollower {
  readonly slot: number;
  /** @param node the connection to the slot's primary; `undefined`: it has none. */
  route(node: RedisConnection | undefined): void;
  /** A node says that the slot is being moved, or no node does any more. */
  setMoving(isMoving: boolean): void;
}

export interface RedisClusterOptions {
  readonly target: ClusterTarget;
  /** Time limit of a command, in milliseconds. */
  readonly timeoutMs: number;
  readonly connectionName: string;
  readonly log: RedisLog;
  readonly heartbeat: (node: ClusterNode, client: Redis, runId: string) => Promise<unknown>;
  readonly onOutOfMemory: (node: ClusterNode) => void;
}

const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
/** Between two rounds of questions to all nodes. */
const MIN_PAUSE_MS = 50;
/** A node that hangs takes at most a quarter of the time limit of an attempt to connect. */
const MAX_SEED_MS = 500;
/** How long a slot has no primary before that is logged. */
const UNOWNED_LOG_MS = 1_000;

/** As an `OutageState`: whether the nodes of the cluster are known. */
export class RedisCluster extends OutageState {
  readonly #nodes = new Map<string, ClusterNode>();
  readonly #followers: SlotFollower[] = [];
  #topology = new ClusterTopology([]);
  readonly #tags = new Map<string, string>();
  #seeking: Promise<void> | undefined;
  #seekAgain: NodeJS.Timeout | undefined;
  #retryMs = MIN_RETRY_MS;
  /** The round of questions that is not sent yet. */
  #nextRound: Promise<void> | undefined;
  /** Ends some time after the last round. */
  #pause: Promise<void> | undefined;
  #ownersLog: NodeJS.Timeout | undefined;
  #isUnownedLogged = false;
  #isClosed = false;

  constructor(private readonly options: RedisClusterOptions) {
    super(describeCluster(options.target), options.log);
  }

  /** Looks for the nodes until {@link close}. Never rejects because they are unavailable. */
  open(followers: readonly SlotFollower[]): void {
    this.#followers.push(...followers);
    void this.#seek();
  }

  /** The nodes with a connection, with slots or without. */
  get nodes(): readonly ClusterNode[] {
    return [...this.#nodes.values()];
  }

  /** The primary of a slot; `undefined` if it has none. */
  ownerOf(slot: number): ClusterNode | undefined {
    return this.#nodes.get(this.#topology.ownerOf(slot) ?? '');
  }

  /** The slots of a node, or those without a primary, as in `0-5460, 9000`; empty if there are none. */
  slotsOf(node: ClusterNode | undefined): string {
    return this.#topology.slotsOf(node && describeEndpoint(node.endpoint));
  }

  /** A hash tag whose keys lie on the node; `undefined` if it has no slots. */
  tagOn(node: ClusterNode): string | undefined {
    const key = describeEndpoint(node.endpoint);
    if (!this.#tags.has(key) && this.slotsOf(node) !== '') {
      this.#tags.set(
        key,
        tagIn((slot) => this.#topology.ownerOf(slot) === key),
      );
    }
    return this.#tags.get(key);
  }

  /** The node at an address that a node of the cluster has given; `undefined`: no node has named it as a primary yet. */
  nodeAt(endpoint: NodeEndpoint): ClusterNode | undefined {
    const { natMap } = this.options.target;
    return this.#nodes.get(describeEndpoint(mapped(endpoint, natMap)));
  }

  /** Asks all connected nodes about the cluster; the questions are sent after the call. Never rejects. */
  refresh(): Promise<void> {
    this.#nextRound ??= this.#askAll();
    return this.#nextRound;
  }

  /** Closes all connections. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#seekAgain);
    clearTimeout(this.#ownersLog);
    this.retire();
    await Promise.all([this.#seeking, ...this.nodes.map(({ connection }) => connection.close())]);
  }

  /** Whether any primary with slots is up. The others do not count: they may be the last to hear of a failover. */
  get #isAnyUp(): boolean {
    return this.#primaries.some(({ isUp }) => isUp);
  }

  get #primaries(): readonly ClusterNode[] {
    return this.#topology.primaries.flatMap((key) => this.#nodes.get(key) ?? []);
  }

  async #askAll(): Promise<void> {
    await this.#pause;
    this.#nextRound = undefined;
    if (this.#isClosed) return;
    const round = this.#isAnyUp ? Promise.all(this.nodes.map((node) => node.ask())) : this.#seek();
    this.#pause = round.then(() => delay(MIN_PAUSE_MS, undefined, { ref: false }));
    await round;
  }

  /** Asks the seeds and the known nodes, until a primary with slots is up. Never rejects. */
  #seek(): Promise<void> {
    clearTimeout(this.#seekAgain);
    this.#seeking ??= this.#seekOnce().finally(() => {
      this.#seeking = undefined;
      if (this.#isClosed || this.#isAnyUp) return;
      this.#seekAgain = setTimeout(() => void this.#seek(), this.#retryMs).unref();
      this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    });
    return this.#seeking;
  }

  async #seekOnce(): Promise<void> {
    const { target, timeoutMs } = this.options;
    const seeds = [...target.seeds, ...this.#topology.members.values()];
    const unique = new Map(seeds.map((seed) => [describeEndpoint(seed), seed]));
    try {
      const asked = { ...target, seeds: [...unique.values()] };
      const views = await askSeeds(asked, Math.min(MAX_SEED_MS, timeoutMs));
      if (this.#isClosed) return;
      this.recover();
      if (!this.#isAnyUp) this.#adopt(views);
    } catch (error) {
      if (this.#isClosed) return;
      this.fail(textOf(error));
      this.#routeAll();
    }
  }

  /** A node is up or down, or knows something else. */
  #review(): void {
    if (this.#isClosed) return;
    const views = this.#primaries.flatMap(({ view }) => view ?? []);
    if (views.length > 0) {
      this.#retryMs = MIN_RETRY_MS;
      this.#adopt(views);
      return;
    }
    this.#routeAll();
    if (!this.#isAnyUp) void this.#seek();
  }

  #adopt(views: readonly ClusterView[]): void {
    const topology = new ClusterTopology(views);
    this.#topology = topology;
    this.#tags.clear();
    const { primaries, spares, members } = topology;
    for (const key of [...primaries, ...spares]) {
      if (!this.#nodes.has(key)) this.#nodes.set(key, this.#open(members.get(key) as NodeEndpoint));
    }
    this.#routeAll();
    this.#closeOthers();
    this.#logOwners();
  }

  #routeAll(): void {
    for (const follower of this.#followers) {
      follower.route(this.ownerOf(follower.slot)?.connection);
      follower.setMoving(this.nodes.some(({ view }) => view?.openSlots.has(follower.slot)));
    }
  }

  #open(endpoint: NodeEndpoint): ClusterNode {
    const { target, heartbeat, onOutOfMemory, ...others } = this.options;
    const node: ClusterNode = new ClusterNode({
      ...others,
      endpoint,
      nodeOptions: target.nodeOptions,
      credentials: target.credentials,
      natMap: target.natMap,
      heartbeat: (client, runId) => heartbeat(node, client, runId),
      onOutOfMemory: () => onOutOfMemory(node),
      onView: () => this.#review(),
      onSlotReply: () => void this.refresh(),
    });
    return node;
  }

  /** Closes the connections to nodes that no view names as a primary any more, unless keys may come back from there. */
  #closeOthers(): void {
    const { primaries, spares } = this.#topology;
    for (const [key, node] of this.#nodes) {
      const isOpen = (node.view?.openSlots.size ?? 0) > 0;
      if (primaries.includes(key) || spares.has(key) || isOpen) continue;
      this.#nodes.delete(key);
      void node.connection.close();
    }
  }

  /** Not before a while: where a slot moves, the nodes hear of it one after the other. */
  #logOwners(): void {
    if (this.slotsOf(undefined) === '') {
      clearTimeout(this.#ownersLog);
      this.#ownersLog = undefined;
      if (this.#isUnownedLogged)
        this.options.log.log('All slots of the Redis Cluster are served again');
      this.#isUnownedLogged = false;
    } else if (!this.#isUnownedLogged) {
      this.#ownersLog ??= setTimeout(() => {
        this.#isUnownedLogged = true;
        const { name, their } = wordsForSlots(this.slotsOf(undefined));
        this.options.log.warn(
          `No node of the Redis Cluster serves the ${name}: reads of ${their} tables go to the database`,
        );
      }, UNOWNED_LOG_MS).unref();
    }
  }
}
