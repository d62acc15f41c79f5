import type { CacheEvents } from '../core/ports/cache-events.js';
import { systemTimers, within } from '../core/ports/clock.js';
import type { EntryStore, FillLock } from '../core/ports/entry-store.js';
import type { InstanceBoard } from '../core/ports/instance-board.js';
import type { VersionStore } from '../core/ports/version-store.js';
import type { RedisLog } from '../redis/connection/outage-state.js';
import { addressOf, type RedisTarget } from '../redis/connection/redis-client.factory.js';
import { RedisConnection } from '../redis/connection/redis-connection.js';
import { DATA_LOST, DataCanary } from '../redis/data-canary.js';
import { entryRefusals } from '../redis/entry-refusals.js';
import { PeerAttestation } from '../redis/peer-attestation.js';
import { RedisEntryStore } from '../redis/redis-entry-store.js';
import { RedisFillLock } from '../redis/redis-fill-lock.js';
import { redisHeartbeat } from '../redis/redis-heartbeat.js';
import { RedisInstanceBoard } from '../redis/redis-instance-board.js';
import { RedisKeys } from '../redis/redis-keys.js';
import { RedisVersionStore } from '../redis/redis-version-store.js';
import type { CacheStores } from './cache-stores.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { lackedPermission, RedisTroubles } from './redis-troubles.js';
import type { SharedSecrets } from './shared-secrets.js';

/** One server holds all tables. */
const ONLY_BUCKET = 0;
const READY_WAIT_MS = 1_000;

export interface RedisStoresParts<Target> {
  /** The name of the data source. */
  readonly dataSource: string;
  readonly redis: Target & { readonly timeoutMs: number };
  readonly options: Readonly<QueryCacheOptions>;
  readonly secrets: SharedSecrets;
  readonly events: CacheEvents;
  readonly log: RedisLog;
}

/** All in one Redis, alone or behind Sentinels. Waits for an unavailable one in the background. */
export class RedisStores implements CacheStores {
  readonly scope: string;
  readonly versions: VersionStore;
  readonly entries: EntryStore;
  readonly fillLock: FillLock;
  readonly board: InstanceBoard;
  readonly #connection: RedisConnection;
  readonly #attestation: PeerAttestation;
  readonly #canary: DataCanary;
  readonly #troubles: RedisTroubles;

  constructor(parts: RedisStoresParts<RedisTarget>) {
    const { dataSource, redis, options, secrets, events, log } = parts;
    const { namespace, maxEntryBytes } = options;
    const { database, seal } = secrets;
    const keys = new RedisKeys(namespace, database);
    const troubles = new RedisTroubles(() => this.#connection, addressOf(redis), log);
    events.on('epochReplaced', ({ cause }) => {
      if (cause === 'lost') troubles.hasLost();
    });
    const canary = new DataCanary(keys, {
      onLost: () => {
        events.emitSafely('dataLost');
        troubles.hasLostAsLogged();
        this.#connection.distrust(DATA_LOST);
      },
      mayEvict: () => troubles.mayEvictAll,
    });
    const onOutOfMemory = (): void => {
      troubles.isFull();
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
          troubles.beaten();
        },
        onQuestion: (question) => this.#attestation.answer(question),
      }),
      onOutOfMemory,
      log,
    });
    this.#connection = connection;
    this.#attestation = new PeerAttestation(connection, keys);
    this.#canary = canary;
    this.#troubles = troubles;
    this.scope = `${namespace}:${database}`;
    this.versions = new RedisVersionStore(connection, keys, canary);
    this.entries = new RedisEntryStore(() => connection, keys, {
      maxBodyBytes: maxEntryBytes,
      seal,
      onRefused: entryRefusals(namespace, events, log),
    });
    this.fillLock = new RedisFillLock(() => connection, keys);
    this.board = new RedisInstanceBoard(() => connection, keys, dataSource);
  }

  async ready(): Promise<void> {
    if (this.#connection.state !== 'connecting') return;
    const isDecided = new Promise<void>((resolve) => {
      this.#connection.onUp(resolve);
      this.#connection.onDown(resolve);
    });
    await within(systemTimers, READY_WAIT_MS, isDecided);
  }

  isAttested(): Promise<boolean> {
    return this.#attestation.isAttested();
  }

  attestWhile(isUnbroken: (bucket: number) => boolean): void {
    this.#attestation.answerWhile(() => isUnbroken(ONLY_BUCKET));
  }

  onOutage(listener: (bucket: number) => void): void {
    this.#connection.onDown(() => listener(ONLY_BUCKET));
  }

  onRecovery(listener: (bucket: number) => void): void {
    this.#connection.onUp(() => listener(ONLY_BUCKET));
  }

  degradation(): string | undefined {
    const { state, reason } = this.#connection;
    if (state !== 'up') {
      return `Redis is not available${lackedPermission(reason)}: reads go to the database`;
    }
    const trouble = this.#troubles.describe();
    return trouble === undefined ? undefined : `Redis ${trouble}`;
  }

  async close(): Promise<void> {
    await this.entries.drain();
    // Without Redis the canary stays, and the next process to start there sets it to expire after a day.
    await this.#connection
      .send('DEL of a number', (client) => this.#canary.remove(client))
      .catch(() => undefined);
    await this.#connection.close();
  }
}
