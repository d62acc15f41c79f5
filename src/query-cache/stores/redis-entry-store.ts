/**
 * Entries in Redis (L2), through cache-manager and cache-manager-ioredis-yet.
 *
 * What those would swallow is carried around them: a failed read travels as a value (a read that
 * failed must not look like a miss), a failed write is thrown. And they get no client but three
 * commands that obey the connection's deadline and outages.
 */
import { createCache, KeyvAdapter, type Cache, type CacheManagerStore } from 'cache-manager';
import { redisInsStore } from 'cache-manager-ioredis-yet';
import { Keyv } from 'keyv';
import { RedisError } from '../../redis/redis.errors.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { wallClock, type Clock } from '../core/clock.js';
import { EntryStore, type CacheEntry } from '../core/entry-store.js';
import { Consignments, type Consignment } from './consignments.js';
import { decodeEntry } from './entry-codec.js';
import { RedisKeys } from './redis-keys.js';

export class RedisEntryStore extends EntryStore {
  readonly #keys: RedisKeys;
  readonly #cache: Cache;
  readonly #consignments = new Consignments();
  readonly #storing = new Set<Promise<void>>();

  /** `clock` is the one that entries are dated by. */
  constructor(
    private readonly connection: RedisConnection,
    namespace: string,
    private readonly clock: Clock = wallClock,
  ) {
    super();
    this.#keys = new RedisKeys(namespace);
    const keyv = new Keyv({
      store: new FailureKeepingAdapter(storeOver(connection, this.#consignments)),
      useKeyPrefix: false,
      throwOnErrors: true,
      serialize: (data) => this.#consignments.ticketFor(data.value as Consignment),
      deserialize: async <T>(stored: string) => {
        const entry = await decodeEntry(stored);
        // No expiry for Keyv: it would delete by key what may have been replaced meanwhile.
        return entry && { value: entry as T };
      },
    });
    this.#cache = createCache({ stores: [keyv] });
  }

  override async get(key: string): Promise<CacheEntry | undefined> {
    const found = await this.#cache.get<CacheEntry | ReadFailure>(this.#keys.entry(key));
    if (found instanceof ReadFailure) throw found.error;
    return found && found.expiresAtMs > this.clock.nowMs() ? found : undefined;
  }

  override async set(key: string, entry: CacheEntry, onSent?: () => void): Promise<void> {
    const storing = this.#store(this.#keys.entry(key), entry, onSent);
    this.#storing.add(storing);
    try {
      await storing;
    } finally {
      this.#storing.delete(storing);
    }
  }

  override async drain(): Promise<void> {
    while (this.#storing.size > 0) await Promise.allSettled(this.#storing);
  }

  async #store(name: string, entry: CacheEntry, onSent?: () => void): Promise<void> {
    // Nobody waits for this: what is answered with the entry, and the next requests, go first.
    await this.connection.writes.whenWaiting();
    // Redis refuses a fraction of a millisecond, and takes 0 for "for ever".
    const ttlMs = Math.ceil(entry.expiresAtMs - this.clock.nowMs());
    if (ttlMs <= 0) return;
    await this.#cache.set(name, { entry, onSent } satisfies Consignment, ttlMs);
  }
}

/** A read that failed, on its way through Keyv and cache-manager. */
class ReadFailure {
  constructor(readonly error: RedisError) {}
}

/** Lets only texts through, and failures of Redis as values; what cannot be read is no entry. */
class FailureKeepingAdapter extends KeyvAdapter {
  override async get<T>(key: string): Promise<T | undefined> {
    try {
      const stored: unknown = await super.get(key);
      return typeof stored === 'string' ? (stored as T) : undefined;
    } catch (error) {
      if (!(error instanceof RedisError)) return undefined;
      // What is no text, Keyv takes for an envelope that is decoded already.
      return { value: new ReadFailure(error) } as T;
    }
  }
}

/** The client as far as the store uses it for single entries. */
function storeOver(connection: RedisConnection, consignments: Consignments): CacheManagerStore {
  const client = {
    // In one write with the versions, and behind a query that does not wait for them.
    get: async (key: string): Promise<string | null> => {
      const send = () => connection.send('GET of an entry', (redis) => redis.get(key));
      return (await connection.writes.atEndOfTurn(send)).value;
    },
    set: async (key: string, ticket: string, unit: 'PX', ttlMs: number): Promise<'OK' | null> => {
      const send = () =>
        consignments.send(ticket, (text) =>
          connection.send('SET of an entry', (redis) => redis.set(key, text, unit, ttlMs)),
        );
      return (await connection.writes.withNext(send)).value;
    },
    del: async (key: string): Promise<number> =>
      (await connection.send('DEL of an entry', (redis) => redis.del(key))).value,
  };
  // The package's types are of an older cache-manager and ask for a whole client.
  const store = redisInsStore(client as unknown as Parameters<typeof redisInsStore>[0]);
  return store as unknown as CacheManagerStore;
}
