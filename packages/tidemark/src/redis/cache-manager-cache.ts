/**
 * The only file that knows cache-manager, Keyv and cache-manager-ioredis-yet, through which entries go to Redis.
 *
 * Why an adapter. These libraries turn texts that look like telejson's notation into functions, classes and dates, scan
 * every character for it, and swallow read errors. So they never see a value to or from Redis: they get a client with
 * two commands and pass placeholders through.
 */
import { createCache, KeyvAdapter, type Cache, type CacheManagerStore } from 'cache-manager';
import { redisInsStore } from 'cache-manager-ioredis-yet';
import { Keyv } from 'keyv';

/** The storage of the values. */
export interface CacheTarget<R, W> {
  /** `undefined`: no value. */
  read(name: string): Promise<R | undefined>;
  write(name: string, value: W, ttlMs: number): Promise<void>;
}

export class CacheManagerCache<R, W> {
  readonly #cache: Cache;

  constructor(target: CacheTarget<R, W>) {
    const reads = new Placeholders<{ readonly answer: Promise<R | undefined> }>();
    const written = new Placeholders<W>();
    const client = {
      get: async (name: string): Promise<string> => {
        const answer = target.read(name);
        // The reader handles a failure: it awaits this answer behind the libraries.
        answer.catch(() => undefined);
        return JSON.stringify(reads.put({ answer }));
      },
      set: (name: string, json: string, _unit: 'PX', ttlMs: number): Promise<void> =>
        target.write(name, written.take(JSON.parse(json) as string), ttlMs),
    };
    // The package's types are for an older cache-manager and require a whole client.
    const store = redisInsStore(client as unknown as Parameters<typeof redisInsStore>[0]);
    const keyv = new Keyv({
      store: new KeyvAdapter(store as unknown as CacheManagerStore),
      useKeyPrefix: false,
      throwOnErrors: true,
      serialize: ({ value }) => written.put(value as W),
      // No expiry for Keyv: it would delete by key a value that may have been replaced meanwhile.
      deserialize: <T>(placeholder: string) => ({ value: reads.take(placeholder) as T }),
    });
    this.#cache = createCache({ stores: [keyv] });
  }

  /** Rejects as the target does. */
  async get(name: string): Promise<R | undefined> {
    const found = await this.#cache.get<{ readonly answer: Promise<R | undefined> }>(name);
    return found?.answer;
  }

  /** Rejects as the target does. */
  async set(name: string, value: W, ttlMs: number): Promise<void> {
    await this.#cache.set(name, value, ttlMs);
  }
}

/** Values in transit through the libraries, under short texts that the libraries leave unchanged. */
class Placeholders<T> {
  readonly #values = new Map<string, T>();
  #made = 0;

  put(value: T): string {
    this.#made += 1;
    const placeholder = `placeholder-${this.#made}`;
    this.#values.set(placeholder, value);
    return placeholder;
  }

  /** @throws Error if nothing is kept under the text. */
  take(placeholder: string): T {
    const value = this.#values.get(placeholder);
    if (value === undefined) throw new Error('The key of an entry has no value.');
    this.#values.delete(placeholder);
    return value;
  }
}
