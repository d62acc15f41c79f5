import { FillLock } from '../../../../src/core/ports/entry-store.js';

/** Every caller gets the lock at once: it only saves work, and no explored property depends on it. */
export class OpenFillLock extends FillLock {
  override acquire(): Promise<boolean> {
    return Promise.resolve(true);
  }

  override release(): Promise<void> {
    return Promise.resolve();
  }
}

/** The lock that all processes share. Its leases run out when the scheduler says so. */
export class WorldFillLock extends FillLock {
  readonly owners = new Map<string, string>();
  /** Grows when a wait for the lock may have ended. */
  changes = 0;

  override async acquire(key: string, owner: string): Promise<boolean> {
    const present = this.owners.get(key) ?? owner;
    if (present !== owner) return false;
    this.owners.set(key, owner);
    return true;
  }

  override async release(key: string, owner: string): Promise<void> {
    if (this.owners.get(key) === owner) this.expire(key);
  }

  expire(key: string): void {
    this.owners.delete(key);
    this.changes += 1;
  }
}
