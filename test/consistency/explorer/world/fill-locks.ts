import { FillLock, type FillName } from '../../../../src/query-cache/core/entry-store.js';

/** Everyone gets it at once: what it saves is work, which nothing that is explored depends on. */
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
  /** Grows when there is reason to look again. */
  changes = 0;

  override async acquire({ key, stamp }: FillName, owner: string): Promise<boolean> {
    const name = `${key} ${stamp}`;
    const present = this.owners.get(name) ?? owner;
    if (present !== owner) return false;
    this.owners.set(name, owner);
    return true;
  }

  override async release({ key, stamp }: FillName, owner: string): Promise<void> {
    const name = `${key} ${stamp}`;
    if (this.owners.get(name) === owner) this.expire(name);
  }

  expire(name: string): void {
    this.owners.delete(name);
    this.changes += 1;
  }
}
