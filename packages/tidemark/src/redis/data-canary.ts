/**
 * Whether Redis still holds the data that this process has written there.
 *
 * Epochs cannot reveal older data under the same `run_id`: REPLICAOF and back, SWAPDB and back, DEBUG RELOAD of an
 * older dump, a proxy that switches servers and back. The versions that writes have replaced since are lost then, and
 * the answers that those writes had invalidated match again.
 *
 * So each process keeps a number under a key that belongs to it alone. Every heartbeat raises the number, and so does
 * every write directly after it has replaced its versions, over the same connection: data that contain the number
 * contain the versions too. Every read of versions reads it. If it is missing, or less than Redis had confirmed before,
 * data are lost, and that counts as an outage.
 *
 * A process does not see the loss of other processes' latest writes. Those processes see it, with their next heartbeat
 * at the latest, and then invalidate all answers (nestjs/cache-lifecycle.ts).
 */
import type { Redis } from 'ioredis';
import { RedisUnavailableError } from './connection/redis.errors.js';
import { randomToken } from '../core/versions.js';
import type { RedisKeys } from './redis-keys.js';
import { raiseNumber } from './scripts/data-canary.script.js';

export const DATA_LOST =
  'the server has lost data that it had confirmed, or holds older data again; look for REPLICAOF, SWAPDB, a ' +
  'restored dump, a client that deletes keys of the cache, or a proxy that switches servers';

/** A number that the server `node` has confirmed. */
export interface Confirmed {
  readonly node: string;
  readonly number: number;
}

export interface DataCanaryOptions {
  /** Called once per loss. */
  readonly onLost: () => void;
  /** Whether the server may evict any key when its memory is full: then a missing number proves nothing. */
  readonly mayEvict: () => boolean;
}

export class DataCanary {
  /** The key of the number. */
  readonly key: string;
  readonly #process = randomToken();
  readonly #processes: string;
  #latest = 0;
  /** `undefined` before the first confirmation, and from a loss until the next one. */
  #confirmed: Confirmed | undefined;
  #isRemoved = false;

  constructor(
    keys: Pick<RedisKeys, 'ofCanary'>,
    private readonly options: DataCanaryOptions,
  ) {
    [this.key, this.#processes] = keys.ofCanary(this.#process);
  }

  /** Must be read before a command is sent whose answer {@link requireKept} then checks. */
  get confirmed(): Confirmed | undefined {
    return this.#confirmed;
  }

  /**
   * Sends one command, immediately, that raises the number on the server `node`. Resolves to whether the server still
   * holds the number that it had confirmed before. Rejects as the client does.
   */
  async raise(client: Redis, node: string): Promise<boolean> {
    if (this.#isRemoved) return true;
    this.#latest += 1;
    const [number, confirmed] = [this.#latest, this.#confirmed];
    const joining = confirmed?.node === node ? [] : [this.#process];
    const keys = [this.key, this.#processes];
    const stored = await client.eval(raiseNumber.source, 2, ...keys, number, ...joining);
    if (!this.#isKept(stored as string | null, node, confirmed)) return false;
    if (this.#confirmed?.node !== node || this.#confirmed.number < number) {
      this.#confirmed = { node, number };
    }
    return true;
  }

  /**
   * @param stored the value that the server `node` holds under the key
   * @throws RedisUnavailableError if that is less than was confirmed before the command was sent
   */
  requireKept(
    stored: string | null | undefined,
    node: string,
    confirmed: Confirmed | undefined,
  ): void {
    // A heartbeat answered meanwhile may have found the loss and restored the number.
    const isLost = confirmed !== undefined && this.#confirmed === undefined;
    if (isLost || !this.#isKept(stored, node, confirmed))
      throw new RedisUnavailableError(DATA_LOST);
  }

  /** Removes the number when the process ends. Rejects as the client does. */
  async remove(client: Redis): Promise<void> {
    this.#isRemoved = true;
    this.#confirmed = undefined;
    await client.del(this.key);
  }

  #isKept(
    stored: string | null | undefined,
    node: string,
    confirmed: Confirmed | undefined,
  ): boolean {
    // Another server is recognised by its epochs.
    if (confirmed?.node !== node) return true;
    const isMissing = stored === null || stored === undefined;
    if (isMissing && this.options.mayEvict()) return true;
    const number = isMissing ? NaN : Number(stored);
    if (number >= confirmed.number && number <= this.#latest) return true;
    // Commands that were in flight together find the same loss.
    if (this.#confirmed) {
      this.#confirmed = undefined;
      this.options.onLost();
    }
    return false;
  }
}
