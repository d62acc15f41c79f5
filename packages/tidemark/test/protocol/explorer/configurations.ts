/** The configurations that every test run explores, and their sizes. */
import type { WriterPlan, TransactionPlan } from './actors/writer.js';
import type { Statement } from './actors/statements.js';
import type { Configuration } from './configuration.js';
import { everyone, userBy, usersIn } from './queries.js';
import { RIGHT } from './rules.js';

/** One user in region US, one writer of that user, two readers of that region, no faults. */
export function configuration(given: Partial<Configuration>): Configuration {
  return {
    name: 'races',
    initial: new Map([[1, { region: 'US', value: 0 }]]),
    buckets: 1,
    queries: [usersIn('US')],
    writers: [writer(11, put(1, 'US', 1))],
    readers: 2,
    reads: 3,
    faults: [],
    faultyBuckets: [0],
    maxFaults: 0,
    policy: 'commit',
    leasesRunOut: false,
    keepsEntries: false,
    sharesEntries: true,
    locksFills: false,
    takesTurnsApart: false,
    noticesFailures: false,
    rules: RIGHT,
    ...given,
  };
}

/** For one process that keeps its entries to itself. */
export const ALONE: Partial<Configuration> = {
  readers: 1,
  keepsEntries: true,
  sharesEntries: false,
};

export function put(key: number, region: string, value: number): Statement {
  return { kind: 'put', key, row: { region, value } };
}

export function writer(backendPid: number, ...statements: Statement[]): WriterPlan {
  return { backendPid, transactions: [transaction('commit', ...statements)] };
}

function transaction(
  ending: TransactionPlan['ending'],
  ...statements: Statement[]
): TransactionPlan {
  return { statements, ending };
}

export interface Explored extends Configuration {
  /** Fewer states than these mean that something was not explored. */
  readonly leastStates: number;
}

export function explored(leastStates: number, given: Partial<Configuration>): Explored {
  return { ...configuration(given), leastStates };
}

const BY_KEY_AND_REGION = [usersIn('US'), usersIn('EU'), userBy(1)];

/** In all of these every answer has to be right. */
export const CONFIGURATIONS: readonly Explored[] = [
  explored(1_900, { name: 'races of one writer and two readers' }),
  explored(630, {
    name: 'races whose commands of one turn are taken apart',
    takesTurnsApart: true,
    reads: 2,
  }),
  explored(3_800, {
    name: 'a crash of the writer at any step, and leases that run out',
    ...{ readers: 1, reads: 3 },
    ...{ faults: ['writer crashes'], maxFaults: 1, leasesRunOut: true },
  }),
  explored(8_400, {
    name: 'a COMMIT whose outcome is unknown, and a crash after it',
    ...{ readers: 1, reads: 3 },
    ...{ faults: ['writer crashes', 'COMMIT unanswered'], maxFaults: 2, leasesRunOut: true },
  }),
  explored(3_600, {
    name: 'two readers who both meet marks whose leases have run out',
    ...{ reads: 2, leasesRunOut: true },
  }),
  explored(5_000, {
    name: 'lost versions and entries, twice',
    ...{ readers: 1, faults: ['version evicted', 'entry evicted'], maxFaults: 2 },
  }),
  explored(3_000, {
    name: 'the marks lost, with and without all versions',
    ...{ readers: 1, faults: ['marks lost', 'all but the epoch lost'], maxFaults: 1 },
  }),
  explored(2_400, {
    name: 'the same where leases run out',
    ...{ ...ALONE, reads: 2, leasesRunOut: true },
    ...{ faults: ['marks lost', 'all but the epoch lost'], maxFaults: 1 },
  }),
  explored(2_100, {
    name: 'a restart of Redis without data',
    ...ALONE,
    ...{ reads: 3, faults: ['restart empty'], maxFaults: 1 },
  }),
  explored(3_200, {
    name: 'a restart of Redis from a snapshot',
    ...ALONE,
    ...{ reads: 2, faults: ['restart from snapshot'], maxFaults: 1 },
  }),
  explored(3_500, {
    name: 'two writers of one region',
    initial: new Map([
      [1, { region: 'US', value: 0 }],
      [2, { region: 'US', value: 0 }],
    ]),
    writers: [writer(11, put(1, 'US', 1)), writer(12, put(2, 'US', 1))],
    ...{ readers: 1, reads: 3 },
  }),
  explored(2_300, {
    name: 'two writers of one row',
    writers: [writer(11, put(1, 'US', 1)), writer(12, put(1, 'US', 2))],
    ...{ readers: 1, reads: 3 },
  }),
  explored(8_200, {
    name: 'a move between regions, read by both, by key and as a whole',
    queries: [...BY_KEY_AND_REGION, everyone],
    writers: [writer(11, put(1, 'EU', 1))],
    ...{ readers: 1, reads: 3 },
  }),
  explored(1_700, {
    name: 'a move there and back',
    queries: [usersIn('US'), usersIn('EU')],
    writers: [
      {
        backendPid: 11,
        transactions: [
          transaction('commit', put(1, 'EU', 1)),
          transaction('commit', put(1, 'US', 2)),
        ],
      },
    ],
    ...{ ...ALONE, reads: 3 },
  }),
  explored(2_900, {
    name: 'savepoints that are rolled back and released',
    queries: BY_KEY_AND_REGION,
    writers: [
      writer(
        11,
        { kind: 'savepoint', name: 'a' },
        put(1, 'EU', 1),
        { kind: 'rollback to', name: 'a' },
        { kind: 'savepoint', name: 'b' },
        put(1, 'US', 2),
        { kind: 'release', name: 'b' },
      ),
    ],
    ...{ readers: 1, reads: 3 },
  }),
  explored(590, {
    name: 'transactions that are rolled back, by their client and by PostgreSQL',
    writers: [
      {
        backendPid: 11,
        transactions: [
          transaction('rollback', put(1, 'US', 1)),
          transaction('fails', put(1, 'US', 2)),
          transaction('commit', put(1, 'US', 3)),
        ],
      },
    ],
    ...{ readers: 1, reads: 3 },
  }),
  explored(1_000, {
    name: 'empty answers, and inserts',
    queries: [userBy(2), usersIn('EU')],
    writers: [writer(11, { kind: 'insert', key: 2, row: { region: 'EU', value: 1 } })],
    readers: 1,
  }),
  explored(4_200, {
    name: 'writes of unknown values',
    queries: BY_KEY_AND_REGION,
    writers: [writer(11, { kind: 'put somehow', key: 1, row: { region: 'EU', value: 1 } })],
    ...{ readers: 1, reads: 3 },
  }),
  explored(3_600, {
    name: 'two transactions of one backend, and leases that run out',
    writers: [
      {
        backendPid: 11,
        transactions: [
          transaction('commit', put(1, 'US', 1)),
          transaction('commit', put(1, 'US', 2)),
        ],
      },
    ],
    ...{ ...ALONE, reads: 2, leasesRunOut: true },
  }),
  explored(780, {
    name: 'one fill among all instances',
    ...{ reads: 2, locksFills: true },
  }),
  explored(2_000, {
    name: 'an outage of the writer, who refuses to go on',
    ...{ reads: 2, faults: ['outage of the writer'], maxFaults: 1, policy: 'refuse' },
  }),
];
