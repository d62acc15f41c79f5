/** Queries, and the read sets of their answers. */
import { ORDERS, USERS } from './actors/statements.js';
import type { Query } from './actors/reader.js';

/** The users of a region: restricted by it. */
export function usersIn(region: string): Query {
  return {
    name: region,
    dependencies: {
      tables: [{ table: USERS, names: [`region=${region}`, 'region?'] }],
      completeRowCount: undefined,
    },
    rowsOf: (state) => [...state].filter(([, row]) => row.region === region).map(([key]) => key),
  };
}

/** A user by primary key: restricted by that, and empty where there is none. */
export function userBy(key: number): Query {
  return {
    name: `user ${key}`,
    dependencies: {
      tables: [{ table: USERS, names: [`id=${key}`, 'id?'] }],
      completeRowCount: 1,
    },
    rowsOf: (state) => (state.has(key) ? [key] : []),
  };
}

/** All users: restricted by nothing. */
export const everyone: Query = {
  name: 'everyone',
  dependencies: {
    tables: [{ table: USERS, names: ['*'] }],
    completeRowCount: undefined,
  },
  rowsOf: (state) => [...state.keys()],
};

/** All users and all orders, whose tables may lie in two buckets. */
export const usersAndOrders: Query = {
  name: 'users and orders',
  dependencies: {
    tables: [
      { table: USERS, names: ['*'] },
      { table: ORDERS, names: ['*'] },
    ],
    completeRowCount: undefined,
  },
  rowsOf: (state) => [...state.keys()],
};
