import type { RedisConnection } from '../../redis/redis-connection.js';
import { openRedisConnection } from '../../redis/redis-client.factory.js';
import { PERMISSION_REMEDY } from '../../redis/redis.errors.js';
import { MemoryState } from '../../redis/memory-state.js';
import { describeRedisAddress, parseRedisUrl } from '../../redis/redis-url.js';
import type { RedisLog } from '../../redis/outage-state.js';
import type { EntryStore, FillLock } from '../core/entry-store.js';
import type { VersionStore } from '../core/version-store.js';
import type { QueryCacheOptions } from '../query-cache.options.js';
import { MemoryFillLock } from './memory-fill-lock.js';
import { NullEntryStore } from './null-entry-store.js';
import { RedisEntryStore } from './redis-entry-store.js';
import { RedisHeartbeat } from './redis-heartbeat.js';
import { RedisFillLock } from './redis-fill-lock.js';
import { RedisVersionStore } from './redis-version-store.js';
import { RedisWitness } from './redis-witness.js';
import { TurnMemoryVersionStore } from './turn-memory-version-store.js';

const DEFAULT_TIMEOUT_MS = 500;
const READY_WAIT_MS = 1_000;

/** The stores of one application: all in Redis, or all in this process. */
export class CacheStores {
  private constructor(
    readonly versions: VersionStore,
    readonly entries: EntryStore,
    readonly fillLock: FillLock,
    private readonly connection: RedisConnection | undefined,
    private readonly witness: RedisWitness | undefined,
    private readonly memory: MemoryState | undefined,
  ) {}

  /** Returns at once; a Redis that is away is waited for in the background. */
  static open({ redis, namespace }: Readonly<QueryCacheOptions>, log: RedisLog): CacheStores {
    if (!redis) {
      return new CacheStores(
        new TurnMemoryVersionStore(),
        new NullEntryStore(),
        new MemoryFillLock(),
        undefined,
        undefined,
        undefined,
      );
    }
    const witness = new RedisWitness(namespace);
    const memory = new MemoryState(describeRedisAddress(parseRedisUrl(redis.url)), log);
    const connection = openRedisConnection(
      {
        url: redis.url,
        timeoutMs: redis.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        connectionName: `tidemark:${namespace}`,
        heartbeat: new RedisHeartbeat(namespace, memory, (question) => witness.answer(question)),
        onOutOfMemory: () => memory.refused(),
      },
      log,
    );
    witness.attend(connection);
    return new CacheStores(
      new RedisVersionStore(connection, namespace),
      new RedisEntryStore(connection, namespace),
      new RedisFillLock(connection, namespace),
      connection,
      witness,
      memory,
    );
  }

  /**
   * Waits until Redis has answered or failed for the first time, for a moment at the most: what
   * the application writes while it starts can then be announced.
   */
  async ready(): Promise<void> {
    const { connection } = this;
    if (connection?.state !== 'connecting') return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stopUp();
        stopDown();
        resolve();
      };
      const timer = setTimeout(done, READY_WAIT_MS);
      const stopUp = connection.onUp(done);
      const stopDown = connection.onDown(done);
    });
  }

  /** Whether what was cached before this process began can be trusted. Never rejects. */
  async isVouchedFor(): Promise<boolean> {
    return this.witness === undefined || this.witness.isVouchedFor();
  }

  /** Vouches for the data to processes that begin, while `isUnbroken` says that it can. */
  vouchWhile(isUnbroken: () => boolean): void {
    this.witness?.answerWhile(isUnbroken);
  }

  /** Calls the listener whenever writes may have gone unannounced. */
  onOutage(listener: () => void): void {
    this.connection?.onDown(listener);
  }

  /** Calls the listener whenever a command was refused because the store's memory is full. */
  onOutOfMemory(listener: () => void): void {
    this.memory?.onRefused(listener);
  }

  /**
   * What is not as it should be, in words for anyone: no addresses and no texts of errors, which the log
   * has. `undefined` when all is well.
   */
  degradation(): string | undefined {
    if (!this.connection) return undefined;
    if (this.connection.state !== 'up') {
      const { reason } = this.connection;
      const told = reason.endsWith(PERMISSION_REMEDY) ? ` (${reason})` : '';
      return `Redis is not available${told}: reads go to the database`;
    }
    if (this.memory?.isFull) {
      return 'Redis has reached its maxmemory and stores no answers: raise it, or set maxmemory-policy to volatile-lru';
    }
    const policy = this.connection.evictionPolicy;
    return policy?.startsWith('allkeys-')
      ? `Redis may drop marks under maxmemory-policy ${policy}: set volatile-lru or noeviction`
      : undefined;
  }

  async close(): Promise<void> {
    await this.entries.drain();
    await this.connection?.close();
  }
}
