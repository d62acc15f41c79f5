import { systemClock, type Clock } from '../ports/clock.js';
import { FillLock } from '../ports/entry-store.js';

interface Lock {
  readonly owner: string;
  readonly deadlineMs: number;
}

/** From this many locks on, those with an expired lease are dropped. */
const CROWD = 1_000;

/** Locks for a service that runs as one process. */
export class MemoryFillLock extends FillLock {
  readonly #locks = new Map<string, Lock>();

  constructor(private readonly clock: Clock = systemClock) {
    super();
  }

  override async acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
    const nowMs = this.clock.nowMs();
    const lock = this.#locks.get(key);
    if (lock && lock.owner !== owner && lock.deadlineMs > nowMs) return false;
    if (this.#locks.size >= CROWD) this.#dropExpired(nowMs);
    this.#locks.set(key, { owner, deadlineMs: nowMs + leaseMs });
    return true;
  }

  override async release(key: string, owner: string): Promise<void> {
    if (this.#locks.get(key)?.owner === owner) this.#locks.delete(key);
  }

  #dropExpired(nowMs: number): void {
    for (const [name, lock] of this.#locks) {
      if (lock.deadlineMs <= nowMs) this.#locks.delete(name);
    }
  }
}
