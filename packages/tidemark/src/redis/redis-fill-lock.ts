import type { RedisConnection } from './connection/redis-connection.js';
import { FillLock } from '../core/ports/entry-store.js';
import type { RedisKeys } from './redis-keys.js';
import { runScript } from './scripts/script.js';
import { releaseFillLock, takeFillLock } from './scripts/fill-lock.script.js';

const HAS_ENTRY = 2;

/** Locks that all instances share. Rejects with `RedisError`s. */
export class RedisFillLock extends FillLock {
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: RedisKeys,
  ) {
    super();
  }

  override async acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
    return (await this.#take([this.keys.fillLock(key)], owner, leaseMs)) === 1;
  }

  override async acquireUnlessStored(
    key: string,
    owner: string,
    leaseMs: number,
  ): Promise<boolean | undefined> {
    const keys = [this.keys.fillLock(key), this.keys.entry(key)];
    const taken = await this.#take(keys, owner, leaseMs);
    return taken === HAS_ENTRY ? undefined : taken === 1;
  }

  override async release(key: string, owner: string): Promise<void> {
    await runScript(this.connection, releaseFillLock, [this.keys.fillLock(key)], [owner]);
  }

  /** Sent in one socket write with the read of the entry. */
  async #take(keys: readonly string[], owner: string, leaseMs: number): Promise<unknown> {
    const args = [owner, String(Math.ceil(leaseMs))];
    const taken = await this.connection.writes.atEndOfTurn(() =>
      runScript(this.connection, takeFillLock, keys, args),
    );
    return taken.value;
  }
}
