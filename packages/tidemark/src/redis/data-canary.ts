/**
 * Whether Redis still holds what this process has written there.
 *
 * Older data under the same `run_id` cannot be recognised by epochs: REPLICAOF and back, SWAPDB and back, DEBUG
 * RELOAD of an older dump, a proxy that switches servers and back. The versions that writes have replaced since are
 * lost then, and the answers that they had ended match again.
 *
 * So each process keeps a number under a key of its own. Every heartbeat raises it, and so does every write right
 * after it has replaced its versions, over the same connection: data that hold the number hold the versions too.
 * Every read of versions asks for it. Where it is missing, or less than Redis had confirmed before, data are lost,
 * and that counts as an outage.
 *
 * A process does not see the loss of the latest writes of others. The others see it, with their next heartbeat at the
 * latest, and then end the answers of all (cache-lifecycle.ts).
 */
import type { Redis } from 'ioredis';
import { RedisUnavailableError } from './connection/redis.errors.js';
import { randomToken } from '../core/token.js';
import type { RedisKeys } from './redis-keys.js';
import { raiseNumber } from './scripts/data-canary.script.js';

export const DATA_LOST =
  'the server has lost data that it had confirmed, or holds older data again; look for REPLICAOF, SWAPDB, a ' +
  'restored dump, a client that deletes keys of the cache, or a proxy that switches servers';

/** A number that the server `node` has confirmed to hold. */
export interface Confirmed {
  readonly node: string;
  readonly number: number;
}

export interface DataCanaryOptions {
  /** Called once for each loss. */
  readonly onLost: () => void;
  /** Whether the server may drop any key for want of memory: then a missing number means nothing. */
  readonly mayEvict: () => boolean;
}

export class DataCanary {
  /** Of the number. */
  readonly key: string;
  readonly #process = randomToken();
  readonly #processes: string;
  #latest = 0;
  /** `undefined` before the first, and from a loss on until the next. */
  #confirmed: Confirmed | undefined;
  #isRemoved = false;

  constructor(
    keys: Pick<RedisKeys, 'ofCanary'>,
    private readonly options: DataCanaryOptions,
  ) {
    [this.key, this.#processes] = keys.ofCanary(this.#process);
  }

  /** To be taken before a command is sent whose answer is then judged by {@link requireKept}. */
  get confirmed(): Confirmed | undefined {
    return this.#confirmed;
  }

  /**
   * Sends one command, at once, that raises the number on the server `node`. Answers whether the server still holds
   * what it had confirmed before. Rejects as the client does.
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
   * @param stored what the server `node` holds under the key
   * @throws RedisUnavailableError where that is less than was confirmed before the command was sent
   */
  requireKept(
    stored: string | null | undefined,
    node: string,
    confirmed: Confirmed | undefined,
  ): void {
    // A heartbeat that was answered meanwhile may have found the loss, and put the number back.
    const isLost = confirmed !== undefined && this.#confirmed === undefined;
    if (isLost || !this.#isKept(stored, node, confirmed))
      throw new RedisUnavailableError(DATA_LOST);
  }

  /** Takes the number away when the process ends. Rejects as the client does. */
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
    // The epochs of another server show by themselves that it is another.
    if (confirmed?.node !== node) return true;
    const isMissing = stored === null || stored === undefined;
    if (isMissing && this.options.mayEvict()) return true;
    const number = isMissing ? NaN : Number(stored);
    if (number >= confirmed.number && number <= this.#latest) return true;
    // Commands that were under way together find the same loss.
    if (this.#confirmed) {
      this.#confirmed = undefined;
      this.options.onLost();
    }
    return false;
  }
}
