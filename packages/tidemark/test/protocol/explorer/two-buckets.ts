/** Configurations over two buckets of Redis: orders in bucket 0, users in bucket 1 (world/buckets.ts). */
import { ORDERS, type Statement } from './actors/statements.js';
import type { Configuration } from './configuration.js';
import { ALONE, explored, put, writer, type Explored } from './configurations.js';
import { usersAndOrders } from './queries.js';

/** A writer and a reader of users, who keeps its answers in memory. */
const TO_USERS: Partial<Configuration> = { ...ALONE, reads: 2, buckets: 2 };

/** The same with a writer whose written tables are unknown. */
export const TO_ALL_TABLES: Partial<Configuration> = {
  ...TO_USERS,
  writers: [writer(11, { kind: 'put anywhere', key: 1, row: { region: 'US', value: 1 } })],
};

/** Each answer depends on both buckets, and each transaction writes to both. */
const TO_BOTH: Partial<Configuration> = {
  ...TO_USERS,
  initial: new Map([
    [1, { region: 'US', value: 0 }],
    [2, { region: 'none', value: 0 }],
  ]),
  queries: [usersAndOrders],
  writers: [writer(11, put(1, 'US', 1), putOrder(2, 1))],
};

function putOrder(key: number, value: number): Statement {
  return { kind: 'put', table: ORDERS, key, row: { region: 'none', value } };
}

/** In all of these every answer has to be right. */
export const TWO_BUCKETS: readonly Explored[] = [
  explored(1_400, {
    name: 'a write to all tables, over two buckets',
    ...{ ...TO_ALL_TABLES, readers: 2, reads: 3 },
  }),
  explored(5_200, {
    name: 'a crash of a writer to all tables at any step, and leases that run out, over two buckets',
    ...{ ...TO_ALL_TABLES, faults: ['writer crashes'], maxFaults: 1, leasesRunOut: true },
  }),
  explored(3_100, {
    name: 'an outage of a writer to all tables in either bucket, who refuses to go on',
    ...{ ...TO_ALL_TABLES, reads: 3, policy: 'refuse' },
    ...{ faults: ['outage of the writer'], faultyBuckets: [0, 1], maxFaults: 1 },
  }),
  explored(13_000, {
    name: 'reads of one bucket while the other, which has their entries, is away or restarts',
    ...{ ...TO_USERS, keepsEntries: false, sharesEntries: true },
    faults: ['outage of all', 'restart empty', 'restart from snapshot'],
    ...{ faultyBuckets: [0], maxFaults: 1 },
  }),
  explored(7_100, {
    name: 'a restart of one of two servers without data',
    ...{ ...TO_USERS, faults: ['restart empty'], faultyBuckets: [1], maxFaults: 1 },
  }),
  explored(1_500, {
    name: 'answers that depend on both buckets, and a write to both',
    ...{ ...TO_BOTH, reads: 3 },
  }),
];

/** The same, where it takes long. */
export const LONG_OVER_TWO_BUCKETS: readonly Explored[] = [
  explored(7_000, {
    name: 'an outage of a writer to both buckets in one of them, who refuses to go on',
    ...{ ...TO_BOTH, policy: 'refuse' },
    ...{ faults: ['outage of the writer'], faultyBuckets: [1], maxFaults: 1 },
  }),
  explored(20_000, {
    name: 'a write to all tables, and a restart of either of two servers without data',
    ...{ ...TO_ALL_TABLES, faults: ['restart empty'], faultyBuckets: [0, 1], maxFaults: 1 },
  }),
  explored(53_000, {
    name: 'a write to all tables, and a restart of one of two servers from a snapshot',
    ...{ ...TO_ALL_TABLES, faults: ['restart from snapshot'], faultyBuckets: [1], maxFaults: 1 },
  }),
];
