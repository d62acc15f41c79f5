import type { Stage } from '../stage/stage.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Verdict } from './verdict.js';

/** One row of the table. */
export interface Scenario {
  readonly title: string;
  /** What happens, and what a user of a cache that fails would have to do about it. */
  readonly note: string;
  /** `open` sets up a stage of its own each time; all are closed afterwards. */
  readonly run: (system: PeerSystem, open: () => Promise<Stage>) => Promise<Verdict>;
}
