/** Entries in Redis (L2), sealed, through cache-manager (cache-manager-cache.ts). */
import { RedisCommandError, RedisSlotError } from './connection/redis.errors.js';
import type { RedisRoute } from './connection/redis-link.js';
import { wallClock, type Clock } from '../core/ports/clock.js';
import { EntryStore, type CacheEntry } from '../core/ports/entry-store.js';
import { CacheManagerCache } from './cache-manager-cache.js';
import { decodeEntry, encodeEntry } from './entry-codec.js';
import { SEAL_BYTES, type EntryRefusal, type EntrySeal } from './entry-seal.js';
import type { RedisKeys } from './redis-keys.js';

/** Limit for an entry without its body (stamp and headers); a larger one is not stored. */
const MAX_HEAD_BYTES = 1_024 * 1_024;
/** Upper limit, whatever the options allow. */
const MAX_BYTES = 256 * 1_024 * 1_024;
/** Bytes of the seal and the form of an entry. */
const MAX_WRAPPING_BYTES = SEAL_BYTES + 1;

export interface RedisEntryStoreOptions {
  /** Limit for the body of an entry. */
  readonly maxBodyBytes: number;
  readonly seal: EntrySeal;
  /** Called if the value under an entry's key is not an entry of this service; it counts as missing. */
  readonly onRefused: (refusal: EntryRefusal) => void;
  /** The clock that dates the entries. */
  readonly clock?: Clock;
}

/** An entry on its way to Redis. */
interface Outgoing {
  readonly bytes: Buffer;
  readonly onSent: (() => void) | undefined;
}

export class RedisEntryStore extends EntryStore {
  readonly #cache: CacheManagerCache<CacheEntry, Outgoing>;
  readonly #storing = new Set<Promise<void>>();
  readonly #clock: Clock;
  readonly #maxBytes: number;

  constructor(
    private readonly route: RedisRoute,
    private readonly keys: RedisKeys,
    private readonly options: RedisEntryStoreOptions,
  ) {
    super();
    this.#clock = options.clock ?? wallClock;
    this.#maxBytes = Math.min(Math.floor(options.maxBodyBytes) + MAX_HEAD_BYTES, MAX_BYTES);
    this.#cache = new CacheManagerCache({
      read: (name) => this.#read(name),
      write: (name, outgoing, ttlMs) => this.#write(name, outgoing, ttlMs),
    });
  }

  override async get(key: string): Promise<CacheEntry | undefined> {
    const found = await this.#cache.get(this.keys.entry(key));
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
    // No caller waits for this: the answer with the entry, and the next requests, go first.
    await this.route(name).writes.whenWaiting();
    const encoded = await encodeEntry(entry, this.#maxBytes);
    // Redis refuses a fraction of a millisecond, and treats 0 as "forever".
    const ttlMs = Math.ceil(entry.expiresAtMs - this.#clock.nowMs());
    if (!encoded || ttlMs <= 0) return;
    const bytes = this.options.seal.seal(name, encoded);
    await this.#cache.set(name, { bytes, onSent }, ttlMs);
  }

  async #read(name: string): Promise<CacheEntry | undefined> {
    const stored = await this.#fetch(name);
    // Redis gives the same answer for a missing key and for an empty value.
    if (stored?.length === 0) return undefined;
    const isOfLength = stored && stored.length <= this.#maxBytes + MAX_WRAPPING_BYTES;
    const opened = isOfLength ? this.options.seal.open(name, stored) : 'form';
    const isRefused = typeof opened === 'string';
    const entry = isRefused ? undefined : await decodeEntry(opened, this.#maxBytes);
    if (!entry) this.options.onRefused(isRefused ? opened : 'form');
    return entry;
  }

  /**
   * At most one byte more than an entry may have. `undefined` if the key holds a value of another type. Empty if its slot
   * of a cluster is elsewhere: then the entry counts as missing.
   */
  async #fetch(name: string): Promise<Buffer | undefined> {
    const commands = this.route(name);
    try {
      // In one socket write with the versions, and behind a query that does not wait for them.
      const { value } = await commands.writes.atEndOfTurn(() =>
        commands.send('GETRANGE of an entry', (redis) =>
          redis.getrangeBuffer(name, 0, this.#maxBytes + MAX_WRAPPING_BYTES),
        ),
      );
      return value;
    } catch (error) {
      if (error instanceof RedisCommandError && error.replyCode === 'WRONGTYPE') return undefined;
      if (error instanceof RedisSlotError) return Buffer.alloc(0);
      throw error;
    }
  }

  async #write(name: string, { bytes, onSent }: Outgoing, ttlMs: number): Promise<void> {
    const commands = this.route(name);
    await commands.writes.withNext(() => {
      const sent = commands.send('SET of an entry', (redis) => redis.set(name, bytes, 'PX', ttlMs));
      onSent?.();
      return sent;
    });
  }
}
