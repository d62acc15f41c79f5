/**
 * Entries in Redis (L2), through cache-manager and cache-manager-ioredis-yet.
 *
 * Nothing that was read from Redis reaches those libraries, which would make functions and objects of it. They
 * get a client of three commands that checks the bytes and hands on a placeholder of ours; the entry, or the
 * failure of the read, which they would swallow, takes its place behind the last layer. What is written goes the
 * same way in the other direction.
 */
import { createCache, KeyvAdapter, type Cache, type CacheManagerStore } from 'cache-manager';
import { redisInsStore } from 'cache-manager-ioredis-yet';
import { Keyv } from 'keyv';
import { RedisCommandError, RedisError } from '../../redis/redis.errors.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { wallClock, type Clock } from '../core/clock.js';
import { EntryStore, type CacheEntry } from '../core/entry-store.js';
import { decodeEntry, encodeEntry } from './entry-codec.js';
import { SEAL_BYTES, type EntryRefusal, type EntrySeal } from './entry-seal.js';
import { Placeholders } from './placeholders.js';
import type { RedisKeys } from './redis-keys.js';

/** Of an entry without its body: the stamp, the headers. With more it is not stored. */
const MAX_HEAD_BYTES = 1_024 * 1_024;
/** Whatever the options allow. */
const MAX_BYTES = 256 * 1_024 * 1_024;
/** Of the seal and the form of an entry. */
const MAX_WRAPPING_BYTES = SEAL_BYTES + 1;

export interface RedisEntryStoreOptions {
  /** Of the body of an entry. */
  readonly maxBodyBytes: number;
  readonly seal: EntrySeal;
  /** Called when what is stored under an entry's key is no entry of this service; it counts as none. */
  readonly onRefused: (refusal: EntryRefusal) => void;
  /** The one that entries are dated by. */
  readonly clock?: Clock;
}

/** An entry on its way to Redis. */
interface Outgoing {
  readonly bytes: Buffer;
  readonly onSent: (() => void) | undefined;
}

export class RedisEntryStore extends EntryStore {
  readonly #cache: Cache;
  readonly #outgoing = new Placeholders<Outgoing>();
  readonly #incoming = new Placeholders<CacheEntry | RedisError>();
  readonly #storing = new Set<Promise<void>>();
  readonly #clock: Clock;
  readonly #maxBytes: number;

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: RedisKeys,
    private readonly options: RedisEntryStoreOptions,
  ) {
    super();
    this.#clock = options.clock ?? wallClock;
    this.#maxBytes = Math.min(Math.floor(options.maxBodyBytes) + MAX_HEAD_BYTES, MAX_BYTES);
    const keyv = new Keyv({
      store: new KeyvAdapter(this.#libraryStore()),
      useKeyPrefix: false,
      throwOnErrors: true,
      serialize: ({ value }) => this.#outgoing.put(value as Outgoing),
      // No expiry for Keyv: it would delete by key what may have been replaced meanwhile.
      deserialize: <T>(placeholder: string) => ({ value: this.#incoming.take(placeholder) as T }),
    });
    this.#cache = createCache({ stores: [keyv] });
  }

  override async get(key: string): Promise<CacheEntry | undefined> {
    const found = await this.#cache.get<CacheEntry | RedisError>(this.keys.entry(key));
    if (found instanceof RedisError) throw found;
    return found && found.expiresAtMs > this.#clock.nowMs() ? found : undefined;
  }

  override async set(key: string, entry: CacheEntry, onSent?: () => void): Promise<void> {
    const storing = this.#store(this.keys.entry(key), entry, onSent);
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
    const encoded = await encodeEntry(entry, this.#maxBytes);
    // Redis refuses a fraction of a millisecond, and takes 0 for "for ever".
    const ttlMs = Math.ceil(entry.expiresAtMs - this.#clock.nowMs());
    if (!encoded || ttlMs <= 0) return;
    const bytes = this.options.seal.seal(name, encoded);
    await this.#cache.set(name, { bytes, onSent } satisfies Outgoing, ttlMs);
  }

  /** The entry under the key, the failure of the read, or `undefined` where there is no entry. */
  async #read(name: string): Promise<CacheEntry | RedisError | undefined> {
    try {
      const stored = await this.#fetch(name);
      // Redis answers nothing and no bytes alike.
      if (stored.length === 0) return undefined;
      const isTooLong = stored.length > this.#maxBytes + MAX_WRAPPING_BYTES;
      const opened = isTooLong ? 'form' : this.options.seal.open(name, stored);
      const isRefused = typeof opened === 'string';
      const entry = isRefused ? undefined : await decodeEntry(opened, this.#maxBytes);
      if (!entry) this.options.onRefused(isRefused ? opened : 'form');
      return entry;
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      if (!(error instanceof RedisCommandError) || error.replyCode !== 'WRONGTYPE') return error;
      this.options.onRefused('form');
      return undefined;
    }
  }

  /** At most one byte more than an entry may have, whatever lies there. */
  async #fetch(name: string): Promise<Buffer> {
    // In one write with the versions, and behind a query that does not wait for them.
    const { value } = await this.connection.writes.atEndOfTurn(() =>
      this.connection.send('GETRANGE of an entry', (redis) =>
        redis.getrangeBuffer(name, 0, this.#maxBytes + MAX_WRAPPING_BYTES),
      ),
    );
    return value;
  }

  /** The library's store over a client that has what it uses for single entries. */
  #libraryStore(): CacheManagerStore {
    const client = {
      get: async (name: string): Promise<string | null> => {
        const found = await this.#read(name);
        return found === undefined ? null : JSON.stringify(this.#incoming.put(found));
      },
      set: async (name: string, json: string, unit: 'PX', ttlMs: number): Promise<'OK' | null> => {
        const { bytes, onSent } = this.#outgoing.take(JSON.parse(json) as string);
        const { value } = await this.connection.writes.withNext(() => {
          const sent = this.connection.send('SET of an entry', (redis) =>
            redis.set(name, bytes, unit, ttlMs),
          );
          onSent?.();
          return sent;
        });
        return value;
      },
      del: async (name: string): Promise<number> =>
        (await this.connection.send('DEL of an entry', (redis) => redis.del(name))).value,
    };
    // The package's types are of an older cache-manager and ask for a whole client.
    const store = redisInsStore(client as unknown as Parameters<typeof redisInsStore>[0]);
    return store as unknown as CacheManagerStore;
  }
}
