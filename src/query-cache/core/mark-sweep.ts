/**
 * Looks after the marks that no reader meets.
 *
 * A reader settles the marks of dead writers that it meets. On a table that nobody asks for any more
 * they would stay for ever, and with them versions that have no time to live; so every instance also
 * looks through all tables now and then.
 */
import { pause, type Timers } from './clock.js';
import type { Settlement } from './settlement.js';
import type { VersionStore } from './version-store.js';

export interface MarkSweepParts {
  readonly store: VersionStore;
  readonly settlement: Settlement;
  readonly timers: Timers;
  /** Pause between two sweeps, in milliseconds. */
  readonly pauseMs: number;
}

export class MarkSweep {
  #isClosed = false;

  constructor(private readonly parts: MarkSweepParts) {}

  /** Sweeps until it is closed. Never rejects. */
  async run(): Promise<void> {
    const { store, settlement, timers, pauseMs } = this.parts;
    for (;;) {
      await pause(timers, pauseMs);
      if (this.#isClosed) return;
      try {
        for (const table of await store.tables()) await settlement.settleMarks(table, []);
      } catch {
        // One of the servers is away; the next sweep tries again.
      }
    }
  }

  close(): void {
    this.#isClosed = true;
  }
}
