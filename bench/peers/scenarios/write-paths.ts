/** Writes without a call for the invalidation, and the same with a call by hand. */
import type { ChangeName } from '../fixtures/changes.js';
import type { QueryName } from '../fixtures/queries.js';
import { verdictOf } from '../cluster/verdict-of.js';
import type { Cluster } from '../cluster/cluster.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Scenario } from './scenario.js';
import { also, byHand, type Verdict } from './verdict.js';

interface WritePath {
  readonly change: ChangeName;
  readonly query: QueryName;
  /** The calls for the table that the statement names. */
  readonly obvious: readonly QueryName[];
  /** The calls of a programmer who knows everything that the write changes. */
  readonly complete: readonly QueryName[];
}

async function after(
  open: () => Promise<Cluster>,
  { change, query }: WritePath,
  invalidated: readonly QueryName[],
): Promise<Verdict> {
  const cluster = await open();
  const [reader, writer] = [await cluster.instance(), await cluster.instance()];
  await cluster.warm(query, reader, writer);
  await cluster.write(writer, change, invalidated, [reader]);
  return verdictOf(cluster, query, reader, writer);
}

async function verdictByCalls(
  system: PeerSystem,
  open: () => Promise<Cluster>,
  path: WritePath,
): Promise<Verdict> {
  const verdict = await after(open, path, path.obvious);
  if (system.invalidatesByItself || verdict.state === 'fresh') return verdict;
  const complete = await after(open, path, path.complete);
  return complete.state === 'fresh'
    ? byHand(`${verdict.how} unless called for`)
    : also(complete, 'even when called for');
}

export const bulkUpdate: Scenario = {
  title: 'A bulk update through the query builder',
  note: '`UPDATE ... WHERE region = ...`. An entity subscriber gets one event that names no row. By hand: a call for every answer with such a row, or for the tag of the table.',
  run: (system, open) =>
    verdictByCalls(system, open, {
      change: 'bulk-update',
      query: 'users-in-us',
      obvious: [],
      complete: ['users-in-us'],
    }),
};

export const rawUpdate: Scenario = {
  title: 'Raw SQL',
  note: '`dataSource.query("UPDATE ...")`. An entity subscriber gets no event. By hand: a call after every such statement.',
  run: (system, open) =>
    verdictByCalls(system, open, {
      change: 'raw-update',
      query: 'users-in-us',
      obvious: [],
      complete: ['users-in-us'],
    }),
};

export const cascade: Scenario = {
  title: 'ON DELETE CASCADE, read on the other side of the foreign key',
  note: 'A user is deleted and the call for users is made; notes of that user are read. By hand: know the foreign keys of the database, transitively.',
  run: (system, open) =>
    verdictByCalls(system, open, {
      change: 'delete-user',
      query: 'notes-of-user-1',
      obvious: ['users-in-us'],
      complete: ['users-in-us', 'notes-of-user-1'],
    }),
};
