import type { Configuration, Rules } from './configuration.js';
import { Reader, type Query } from './actors/reader.js';
import { Writer, type WriterPlan } from './actors/writer.js';
import { USERS, type Statement } from './actors/statements.js';
import type { State } from './world/postgres.js';
import { WriterActivity } from '../../../src/query-cache/core/writer-activity.js';
import type { Postgres } from './world/postgres.js';

class TrueActivity extends WriterActivity {
  constructor(private readonly postgres: Postgres) {
    super();
  }

  override async writers(): Promise<ReadonlyMap<number, string>> {
    return this.postgres.writers();
  }
}

export const RIGHT: Rules = {
  store: (data) => data,
  activity: (postgres) => new TrueActivity(postgres),
  reader: Reader,
  writer: Writer,
  identity: (server, reign) => `${server}.${reign}`,
};

/** A page of the users of a region. */
export function usersIn(region: string): Query {
  return {
    name: region,
    dependencies: {
      tables: [{ table: USERS, names: [`region=${region}`, 'region?'], insertName: undefined }],
      completeRowCount: undefined,
    },
    rowsOf: (state) => [...state].filter(([, row]) => row.region === region).map(([key]) => key),
  };
}

export function userBy(key: number): Query {
  return {
    name: `user ${key}`,
    dependencies: {
      tables: [{ table: USERS, names: [`id=${key}`, 'id?'], insertName: 'id+' }],
      completeRowCount: 1,
    },
    rowsOf: (state) => (state.has(key) ? [key] : []),
  };
}

export const everyone: Query = {
  name: 'everyone',
  dependencies: {
    tables: [{ table: USERS, names: ['*'], insertName: undefined }],
    completeRowCount: undefined,
  },
  rowsOf: (state) => [...state.keys()],
};

export const ONE_USER: State = new Map([[1, { region: 'US', value: 0 }]]);

export function writer(backendPid: number, ...statements: Statement[]): WriterPlan {
  return { backendPid, transactions: [{ statements, ending: 'commit' }] };
}

export function put(key: number, region: string, value: number): Statement {
  return { kind: 'put', key, row: { region, value } };
}

export function configuration(
  given: Partial<Configuration> & Pick<Configuration, 'name'>,
): Configuration {
  return {
    initial: ONE_USER,
    queries: [usersIn('US')],
    writers: [writer(11, put(1, 'US', 1))],
    readers: 2,
    reads: 3,
    faults: [],
    mostFaults: 0,
    policy: 'commit',
    leasesRunOut: false,
    keepsEntries: false,
    sharesEntries: true,
    locksFills: false,
    takesTurnsApart: false,
    rules: RIGHT,
    ...given,
  };
}
