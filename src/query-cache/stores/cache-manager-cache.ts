/**
 * The one place that knows cache-manager, Keyv and cache-manager-ioredis-yet, through which entries go to Redis.
 *
 * Why an adapter. These libraries make functions, classes and dates of texts that look like telejson's notation, look
 * for it in every character, and swallow errors of reads. So nothing that was read from Redis reaches them, and
 * nothing that is written there: they get a client of three commands and hand placeholders on. What was read, or why
 * it could not be read, takes the placeholder's place behind their last layer; what is written, before their first.
 */
import { createCache, KeyvAdapter, type Cache, type CacheManagerStore } from 'cache-manager';
import { redisInsStore } from 'cache-manager-ioredis-yet';
import { Keyv } from 'keyv';

/** What lies behind the libraries. */
export interface CacheTarget<R, W> {
  /** `undefined`: there is nothing. */
  read(name: string): Promise<R | undefined>;
  write(name: string, value: W, ttlMs: number): Promise<'OK' | null>;
  remove(name: string): Promise<number>;
}

/** What a read came to. */
type Found<R> = { readonly value: R } | { readonly error: unknown };

export class CacheManagerCache<R, W> {
  readonly #cache: Cache;
  readonly #read = new Placeholders<Found<R>>();
  readonly #written = new Placeholders<W>();

  constructor(private readonly target: CacheTarget<R, W>) {
    const keyv = new Keyv({
      store: new KeyvAdapter(this.#libraryStore()),
      useKeyPrefix: false,
      throwOnErrors: true,
      serialize: ({ value }) => this.#written.put(value as W),
      // No expiry for Keyv: it would delete by key what may have been replaced meanwhile.
      deserialize: <T>(placeholder: string) => ({ value: this.#read.take(placeholder) as T }),
    });
    this.#cache = createCache({ stores: [keyv] });
  }

  /** Rejects as the target does. */
  async get(name: string): Promise<R | undefined> {
    const found = await this.#cache.get<Found<R>>(name);
    if (found && 'error' in found) throw found.error;
    return found?.value;
  }

  /** Rejects as the target does. */
  async set(name: string, value: W, ttlMs: number): Promise<void> {
    await this.#cache.set(name, value, ttlMs);
  }

  /** The library's store over a client that has what it uses for single entries. */
  #libraryStore(): CacheManagerStore {
    const client = {
      get: async (name: string): Promise<string | null> => {
        const found = await this.#find(name);
        return found === undefined ? null : JSON.stringify(this.#read.put(found));
      },
      set: (name: string, json: string, _unit: 'PX', ttlMs: number): Promise<'OK' | null> =>
        this.target.write(name, this.#written.take(JSON.parse(json) as string), ttlMs),
      del: (name: string): Promise<number> => this.target.remove(name),
    };
    // The package's types are of an older cache-manager and ask for a whole client.
    const store = redisInsStore(client as unknown as Parameters<typeof redisInsStore>[0]);
    return store as unknown as CacheManagerStore;
  }

  async #find(name: string): Promise<Found<R> | undefined> {
    try {
      const value = await this.target.read(name);
      return value === undefined ? undefined : { value };
    } catch (error) {
      return { error };
    }
  }
}

/** Values on their way through the libraries, by short texts that the libraries leave as they are. */
class Placeholders<T> {
  readonly #values = new Map<string, T>();
  #made = 0;

  put(value: T): string {
    this.#made += 1;
    const placeholder = `placeholder-${this.#made}`;
    this.#values.set(placeholder, value);
    return placeholder;
  }

  /** @throws Error where nothing is kept under the text. */
  take(placeholder: string): T {
    const value = this.#values.get(placeholder);
    if (value === undefined) throw new Error('There is nothing in the place of an entry.');
    this.#values.delete(placeholder);
    return value;
  }
}
