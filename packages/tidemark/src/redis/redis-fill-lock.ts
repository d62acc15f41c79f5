import type { RedisRoute } from './connection/redis-link.js';
import { FillLock } from '../core/ports/entry-store.js';
import type { RedisKeys } from './redis-keys.js';
import { runScript } from './scripts/script.js';
import { releaseFillLock, takeFillLock } from './scripts/fill-lock.script.js';

const HAS_ENTRY = 2;

/** Locks that all instances share. Rejects with `RedisError`s. */
export class RedisFillLock extends FillLock {
  constructor(
    private readonly route: RedisRoute,
    private readonly keys: RedisKeys,
  ) {
    super();
  }

  override async acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
    return (await this.#take(this.keys.fillLock(key), [], owner, leaseMs)) === 1;
  }

  override async acquireUnlessStored(
    key: string,
    owner: string,
    leaseMs: number,
  ): Promise<boolean | undefined> {
    const entry = this.keys.entry(key);
    const taken = await this.#take(this.keys.fillLock(key), [entry], owner, leaseMs);
    return taken === HAS_ENTRY ? undefined : taken === 1;
  }

  override async release(key: string, owner: string): Promise<void> {
    const lock = this.keys.fillLock(key);
    await runScript(this.route(lock), releaseFillLock, [lock], [owner]);
  }

  /** Sent in one socket write with the read of the entry. */
  async #take(
    lock: string,
    entry: readonly string[],
    owner: string,
    leaseMs: number,
  ): Promise<unknown> {
    const args = [owner, String(Math.ceil(leaseMs))];
    const redis = this.route(lock);
    const taken = await redis.writes.atEndOfTurn(() =>
      runScript(redis, takeFillLock, [lock, ...entry], args),
    );
    return taken.value;
  }
}
