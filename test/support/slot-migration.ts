/** One slot on its way from a primary to another one, step by step as `redis-cli --cluster reshard` does it. */
import type { RedisClusterServers } from './redis-cluster-servers.js';
import type { RedisServer } from './redis-server.js';

const LIMIT_MS = '5000';

export class SlotMigration {
  constructor(
    private readonly cluster: RedisClusterServers,
    private readonly slot: number,
    private readonly from: RedisServer,
    private readonly to: RedisServer,
  ) {}

  /** From now on the former owner answers ASK for a key that it does not have. */
  async begin(): Promise<void> {
    await this.#set(this.to, 'IMPORTING', await this.cluster.idOf(this.from));
    await this.#set(this.from, 'MIGRATING', await this.cluster.idOf(this.to));
  }

  /** Moves so many keys at the most; returns whether there were any. */
  moveKeys(count: number): Promise<boolean> {
    return this.#move(this.from, this.to, count);
  }

  /** Moves the keys left and changes the owner. Returns when all running nodes know that. */
  async end(): Promise<void> {
    while (await this.moveKeys(100));
    const id = await this.cluster.idOf(this.to);
    // The new owner first: after a crash in between the slot has an owner.
    for (const server of [this.to, this.from]) await this.#set(server, 'NODE', id);
    for (const other of await this.cluster.primaries()) {
      if (other !== this.to && other !== this.from) await this.#set(other, 'NODE', id);
    }
    await this.cluster.ownsEverywhere(this.slot, this.to);
  }

  /**
   * The former owner stays the owner. Keys that had been moved are missing there until they come back; one that it has
   * again meanwhile stays as it is there. Either node may be the replica that was promoted instead. One of them counts
   * the slot as open until the last key is back.
   */
  async abort(): Promise<void> {
    const id = await this.cluster.idOf(this.from);
    await this.#set(this.to, 'IMPORTING', id);
    // A node that imports a slot does not notice a promotion of its owner.
    await this.#set(this.to, 'NODE', id);
    await this.#set(this.from, 'STABLE');
    for (;;) {
      try {
        if (!(await this.#move(this.to, this.from, 1))) break;
      } catch (error) {
        if (!String(error).includes('BUSYKEY')) throw error;
        const [key] = await this.#keys(this.to, 1);
        // The node serves a key that it imports to a client that says ASKING.
        if (key !== undefined) await this.cluster.commandAsking(this.to, 'DEL', key);
      }
    }
    await this.#set(this.to, 'STABLE');
  }

  async #set(server: RedisServer, ...words: readonly string[]): Promise<void> {
    await this.cluster.command(server, 'CLUSTER', 'SETSLOT', String(this.slot), ...words);
  }

  async #keys(server: RedisServer, count: number): Promise<readonly string[]> {
    const words = ['GETKEYSINSLOT', String(this.slot), String(count)];
    return (await this.cluster.command(server, 'CLUSTER', ...words)) as string[];
  }

  async #move(from: RedisServer, to: RedisServer, count: number): Promise<boolean> {
    const keys = await this.#keys(from, count);
    if (keys.length === 0) return false;
    const login = this.cluster.password === undefined ? [] : ['AUTH', this.cluster.password];
    const target = ['127.0.0.1', String(to.port), '', '0', LIMIT_MS, ...login, 'KEYS'];
    // Keys may have expired in between: then the reply is NOKEY.
    await this.cluster.command(from, 'MIGRATE', ...target, ...keys);
    return true;
  }
}
