import { MemoryFillLock } from '../core/memory/memory-fill-lock.js';
import { MemoryInstanceBoard } from '../core/memory/memory-instance-board.js';
import { TurnMemoryVersionStore } from '../core/memory/memory-version-store.js';
import { NullEntryStore } from '../core/memory/null-entry-store.js';
import type { CacheStores } from './cache-stores.js';

/** All in this process: never away, and empty when it starts. */
export class MemoryStores implements CacheStores {
  readonly versions = new TurnMemoryVersionStore();
  readonly entries = new NullEntryStore();
  readonly fillLock = new MemoryFillLock();
  readonly board = new MemoryInstanceBoard();

  /** @param scope separates the keys of queries from those of other services. */
  constructor(readonly scope: string) {}

  async ready(): Promise<void> {
    // Always.
  }

  async isAttested(): Promise<boolean> {
    return true;
  }

  attestWhile(): void {
    // No other process asks.
  }

  onOutage(): void {
    // There is none.
  }

  onRecovery(): void {
    // There is none.
  }

  degradation(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return this.entries.drain();
  }
}
