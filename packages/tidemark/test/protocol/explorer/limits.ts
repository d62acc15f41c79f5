/** Configurations beyond the limits of the protocol, and those in which all instances notice faults. */
import type { Configuration } from './configuration.js';
import { ALONE, configuration } from './configurations.js';
import { TO_ALL_TABLES } from './two-buckets.js';

const ONE_READER: Partial<Configuration> = { ...ALONE, reads: 2 };

export const PARTITION = configuration({
  name: 'a writer cut off from Redis that goes on',
  ...{ readers: 1, reads: 2, faults: ['outage of the writer'], maxFaults: 1 },
});

export const PARTITION_OF_ONE_BUCKET = configuration({
  name: 'a writer to all tables cut off from one of two buckets that goes on',
  ...{ ...TO_ALL_TABLES, faults: ['outage of the writer'], faultyBuckets: [1], maxFaults: 1 },
});

export const THERE_AND_BACK = configuration({
  name: 'an unnoticed switch to another server and back',
  ...{ ...ONE_READER, faults: ['failover'], maxFaults: 2 },
});

export const NOTICED: readonly Configuration[] = [
  configuration({
    name: 'an outage of all',
    ...{ ...ONE_READER, faults: ['outage of all'], maxFaults: 1 },
  }),
  configuration({
    name: 'an outage of one of two buckets',
    ...{ ...TO_ALL_TABLES, faults: ['outage of all'], faultyBuckets: [1], maxFaults: 1 },
  }),
  configuration({ name: 'a failover', ...ONE_READER, faults: ['failover'], maxFaults: 1 }),
  configuration({
    name: 'a server that is left and returned to',
    ...{ ...ONE_READER, faults: ['failover'], maxFaults: 2, noticesFailures: true },
  }),
];
