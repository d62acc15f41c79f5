import type { Cluster } from '../cluster/cluster.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Verdict } from './verdict.js';

/** One row of the table. */
export interface Scenario {
  readonly title: string;
  /** What happens, and what a user of a cache that fails would have to do about it. */
  readonly note: string;
  /** Each call of `open` sets up a separate cluster; all are closed afterwards. */
  readonly run: (system: PeerSystem, open: () => Promise<Cluster>) => Promise<Verdict>;
}
