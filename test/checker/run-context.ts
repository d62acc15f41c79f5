/** The shared parts of the writers, the readers and the faults of one run. */
import type { CheckedSystem } from './checked-system.js';
import type { Figures } from './figures.js';
import type { HotTargets } from './hot-targets.js';
import type { Journal } from './journal.js';
import type { Checker, Violation } from './checker.js';
import type { Territory } from './territory.js';

export interface RunContext {
  readonly system: CheckedSystem;
  readonly checker: Checker;
  readonly figures: Figures;
  readonly journal: Journal;
  readonly hot: HotTargets;
  /** Those that writers write to, and the last of those that were left. */
  readonly territories: Territory[];
  readonly violated: (violation: Violation) => void;
  /** Ends the load and every wait of it. */
  readonly stopping: AbortSignal;
  /** Milliseconds of the monotonic clock. */
  readonly nowMs: () => number;
}
