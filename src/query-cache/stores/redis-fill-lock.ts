import type { RedisConnection } from '../../redis/redis-connection.js';
import { FillLock, type FillName } from '../core/entry-store.js';
import type { RedisKeys } from './redis-keys.js';
import { ScriptRunner } from './script-runner.js';
import { releaseFillLock, takeEarlyFillLock, takeFillLock } from './scripts/fill-lock.script.js';

/** Locks that all instances see. Rejects with `RedisError`s. */
export class RedisFillLock extends FillLock {
  readonly #scripts: ScriptRunner;

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: RedisKeys,
  ) {
    super();
    this.#scripts = new ScriptRunner(connection);
  }

  override async acquire(name: FillName, owner: string, leaseMs: number): Promise<boolean> {
    const args = [owner, String(Math.ceil(leaseMs))];
    const { value } = await this.#scripts.run(takeFillLock, [this.keys.fillLock(name)], args);
    return value === 1;
  }

  override async acquireEarly(
    name: FillName,
    owner: string,
    leaseMs: number,
  ): Promise<boolean | 'stored'> {
    const keys = [this.keys.entry(name.key), this.keys.fillLock(name)];
    const args = [owner, String(Math.ceil(leaseMs))];
    const { value } = await this.connection.writes.atEndOfTurn(() =>
      this.#scripts.run(takeEarlyFillLock, keys, args),
    );
    return value === 2 ? 'stored' : value === 1;
  }

  override async release(name: FillName, owner: string): Promise<void> {
    await this.#scripts.run(releaseFillLock, [this.keys.fillLock(name)], [owner]);
  }
}
