/** Set-up of all specs about faults: a separate cluster, mended after each test. */
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { FaultCluster, type FaultClusterOptions } from './fault-cluster.js';

const STARTING_MS = 180_000;
// How long a test may take on a machine that is busy with others.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/**
 * Starts a cluster before the tests of the surrounding `describe` and stops it after them. What an
 * `afterEach` has to undo before the cluster is mended is registered before this is called.
 *
 * @param prepare gets the cluster before the first test.
 */
export function useFaultCluster(
  prepare: (cluster: FaultCluster) => unknown,
  options: FaultClusterOptions = {},
): void {
  let cluster: FaultCluster | undefined;
  beforeAll(async () => {
    cluster = await FaultCluster.start(options);
    await prepare(cluster);
  }, STARTING_MS);
  afterEach(() => cluster?.mend());
  afterAll(() => cluster?.stop());
}

/** Hands the cluster to a suite before the first of its tests. */
export type UseCluster = (prepare: (cluster: FaultCluster) => unknown) => void;

/** One cluster for several suites: to start its processes takes longer than most tests. */
export function useOneFaultCluster(): UseCluster {
  let cluster: FaultCluster | undefined;
  useFaultCluster((started) => {
    cluster = started;
  });
  return (prepare) => beforeAll(() => cluster && prepare(cluster));
}
