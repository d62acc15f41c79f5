import { RedisConnection } from '../redis/connection/redis-connection.js';
import { PERMISSION_REMEDY } from '../redis/connection/redis.errors.js';
import { addressOf, type RedisTarget } from '../redis/connection/redis-client.factory.js';
import type { RedisLog } from '../redis/connection/outage-state.js';
import type { CacheEvents } from '../core/ports/cache-events.js';
import { systemTimers, within } from '../core/ports/clock.js';
import type { EntryStore, FillLock } from '../core/ports/entry-store.js';
import type { VersionStore } from '../core/ports/version-store.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import type { RedisSettings } from './redis-option.js';
import { DATA_LOST, DataCanary } from '../redis/data-canary.js';
import { entryRefusals } from '../redis/entry-refusals.js';
import { MemoryFillLock } from '../core/memory/memory-fill-lock.js';
import { NullEntryStore } from '../core/memory/null-entry-store.js';
import { RedisEntryStore } from '../redis/redis-entry-store.js';
import { redisHeartbeat } from '../redis/redis-heartbeat.js';
import { RedisFillLock } from '../redis/redis-fill-lock.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisVersionStore } from '../redis/redis-version-store.js';
import { PeerAttestation } from '../redis/peer-attestation.js';
import type { SharedSecrets } from './shared-secrets.js';
import { Trouble } from '../redis/trouble.js';
import { TurnMemoryVersionStore } from '../core/memory/memory-version-store.js';

/** One server holds all tables. */
const ONLY_BUCKET = 0;
const READY_WAIT_MS = 1_000;
/** A server near its memory limit refuses one command and accepts the next: it counts as full for this time. */
const FULL_SHOWN_MS = 3_000;
const LOSS_SHOWN_MS = 15_000;

export interface RedisStoresParts {
  readonly redis: RedisSettings;
  readonly options: Readonly<QueryCacheOptions>;
  readonly secrets: SharedSecrets;
  readonly events: CacheEvents;
  readonly log: RedisLog;
}

interface CacheStoresParts {
  /** Separates the keys of queries from those of other services and databases. */
  readonly scope: string;
  readonly versions: VersionStore;
  readonly entries: EntryStore;
  readonly fillLock: FillLock;
}

/** The connection to Redis, and the known state of its data. */
interface RedisSide {
  readonly connection: RedisConnection;
  readonly attestation: PeerAttestation;
  readonly canary: DataCanary;
  readonly full: Trouble;
  readonly losses: Trouble;
}

/** The stores of one application: all in Redis, or all in this process. */
export class CacheStores {
  readonly scope: string;
  readonly versions: VersionStore;
  readonly entries: EntryStore;
  readonly fillLock: FillLock;

  private constructor(
    { scope, versions, entries, fillLock }: CacheStoresParts,
    private readonly redis?: RedisSide,
  ) {
    this.scope = scope;
    this.versions = versions;
    this.entries = entries;
    this.fillLock = fillLock;
  }

  static inMemory({ namespace }: Readonly<QueryCacheOptions>): CacheStores {
    return new CacheStores({
      scope: namespace,
      versions: new TurnMemoryVersionStore(),
      entries: new NullEntryStore(),
      fillLock: new MemoryFillLock(),
    });
  }

  /** Returns at once; waits for an unavailable Redis in the background. */
  static inRedis({ redis, options, secrets, events, log }: RedisStoresParts): CacheStores {
    const { namespace, maxEntryBytes } = options;
    const { database, seal } = secrets;
    const keys = new RedisKeys(namespace, database);
    const { full, losses } = troublesAt(redis, log);
    events.on('epochReplaced', ({ cause }) => {
      if (cause === 'lost') losses.noticed();
    });
    const canary = new DataCanary(keys, {
      onLost: () => {
        events.emitSafely('dataLost');
        losses.show();
        connection.distrust(DATA_LOST);
      },
      mayEvict: () => mayEvictAll(connection),
    });
    const onOutOfMemory = (): void => {
      full.noticed();
      events.emitSafely('storeFull');
    };
    const connection = RedisConnection.open({
      ...redis,
      connectionName: `tidemark:${namespace}`,
      heartbeat: redisHeartbeat({
        keys,
        canary,
        onMemory: (isFull) => {
          if (isFull) onOutOfMemory();
          full.absent();
          losses.absent();
        },
        onQuestion: (question) => attestation.answer(question),
      }),
      onOutOfMemory,
      log,
    });
    const attestation = new PeerAttestation(connection, keys);
    return new CacheStores(
      {
        scope: `${namespace}:${database}`,
        versions: new RedisVersionStore(connection, keys, canary),
        entries: new RedisEntryStore(connection, keys, {
          maxBodyBytes: maxEntryBytes,
          seal,
          onRefused: entryRefusals(namespace, events, log),
        }),
        fillLock: new RedisFillLock(connection, keys),
      },
      { connection, attestation, canary, full, losses },
    );
  }

  /** Waits briefly for Redis, so that a starting application can publish its writes. */
  async ready(): Promise<void> {
    const connection = this.redis?.connection;
    if (connection?.state !== 'connecting') return;
    const isDecided = new Promise<void>((resolve) => {
      connection.onUp(resolve);
      connection.onDown(resolve);
    });
    await within(systemTimers, READY_WAIT_MS, isDecided);
  }

  /** Whether answers of the bucket that were cached before this process started can be trusted. Never rejects. */
  async isAttested(_bucket: number): Promise<boolean> {
    return this.redis === undefined || this.redis.attestation.isAttested();
  }

  /** Attests the data of a bucket to starting processes as long as `isUnbroken` returns `true`. */
  attestWhile(isUnbroken: (bucket: number) => boolean): void {
    this.redis?.attestation.answerWhile(() => isUnbroken(ONLY_BUCKET));
  }

  /** Calls the listener whenever writes to the bucket may have gone unpublished. */
  onOutage(listener: (bucket: number) => void): void {
    this.redis?.connection.onDown(() => listener(ONLY_BUCKET));
  }

  /** Calls the listener whenever the bucket is usable again after an outage. */
  onRecovery(listener: (bucket: number) => void): void {
    this.redis?.connection.onUp(() => listener(ONLY_BUCKET));
  }

  /** Why the cache is degraded, in public words: without addresses and texts of errors, which are in the log. */
  degradation(): string | undefined {
    if (!this.redis) return undefined;
    const { connection, full, losses } = this.redis;
    if (connection.state !== 'up') {
      const { reason } = connection;
      const detail = reason.endsWith(PERMISSION_REMEDY) ? ` (${reason})` : '';
      return `Redis is not available${detail}: reads go to the database`;
    }
    if (full.isOn) {
      return 'Redis has reached its maxmemory and stores no answers: raise it, or set maxmemory-policy to volatile-lru';
    }
    if (losses.isOn) {
      return 'Redis has lost data of the cache, or has held older data again, and answers are filled again: the log says what to look for';
    }
    return mayEvictAll(connection)
      ? `Redis may drop marks under maxmemory-policy ${connection.evictionPolicy}: set volatile-lru or noeviction`
      : undefined;
  }

  async close(): Promise<void> {
    await this.entries.drain();
    if (!this.redis) return;
    const { connection, canary } = this.redis;
    // Without Redis the canary stays, and the next process to start there sets it to expire after a day.
    await connection
      .send('DEL of a number', (client) => canary.remove(client))
      .catch(() => undefined);
    await connection.close();
  }
}

function troublesAt(target: RedisTarget, log: RedisLog): Pick<RedisSide, 'full' | 'losses'> {
  const name = `Redis at ${addressOf(target)}`;
  const full = new Trouble(FULL_SHOWN_MS, {
    begin: () =>
      log.warn(
        `${name} has reached its maxmemory and refuses to store answers, so reads go to the database; raise ` +
          'maxmemory, or set maxmemory-policy to volatile-lru',
      ),
    end: () => log.log(`${name} has room for answers again`),
  });
  // An epoch that this process has trusted is lost, or its data is, although Redis was available all the time.
  const losses = new Trouble(LOSS_SHOWN_MS, {
    begin: () =>
      log.warn(
        `${name} has lost data of the cache, so answers are filled again; let no other client delete its keys, and ` +
          'set maxmemory-policy to volatile-lru or noeviction',
      ),
  });
  return { full, losses };
}

function mayEvictAll({ evictionPolicy }: RedisConnection): boolean {
  return evictionPolicy?.startsWith('allkeys-') === true;
}
