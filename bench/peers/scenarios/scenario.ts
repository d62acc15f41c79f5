import type { Cluster } from '../cluster/cluster.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Verdict } from './verdict.js';

/** One row of the table. */
export interface Scenario {
  readonly title: string;
  /** The events of the scenario, and the remedy for users of a cache that fails. */
  readonly note: string;
  /** Each call of `open` sets up a separate cluster; all are closed afterwards. */
  readonly run: (system: PeerSystem, open: () => Promise<Cluster>) => Promise<Verdict>;
}
