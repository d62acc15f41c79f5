/** Writes of which nobody tells the cache, and the same with a call by hand. */
import type { ChangeName } from '../fixtures/changes.js';
import type { QueryName } from '../fixtures/queries.js';
import { judge } from '../stage/judge.js';
import type { Stage } from '../stage/stage.js';
import type { PeerSystem } from '../systems/peer-cache.js';
import type { Scenario } from './scenario.js';
import { also, byHand, type Verdict } from './verdict.js';

interface WritePath {
  readonly change: ChangeName;
  readonly query: QueryName;
  /** What is called for the table that the statement names. */
  readonly obvious: readonly QueryName[];
  /** What is called by a programmer who knows everything the write touches. */
  readonly complete: readonly QueryName[];
}

async function after(
  open: () => Promise<Stage>,
  { change, query }: WritePath,
  told: readonly QueryName[],
): Promise<Verdict> {
  const stage = await open();
  const [reader, writer] = [await stage.instance(), await stage.instance()];
  await stage.warm(query, reader, writer);
  await stage.write(writer, change, told, [reader]);
  return judge(stage, query, reader, writer);
}

async function told(
  system: PeerSystem,
  open: () => Promise<Stage>,
  path: WritePath,
): Promise<Verdict> {
  const verdict = await after(open, path, path.obvious);
  if (system.invalidatesByItself || verdict.state === 'fresh') return verdict;
  const instructed = await after(open, path, path.complete);
  return instructed.state === 'fresh'
    ? byHand(`${verdict.how} unless told`)
    : also(instructed, 'even when told');
}

export const bulkUpdate: Scenario = {
  title: 'A bulk update through the query builder',
  note: '`UPDATE ... WHERE region = ...`. An entity subscriber gets one event that names no row. By hand: a call for every answer with such a row, or for the tag of the table.',
  run: (system, open) =>
    told(system, open, {
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
    told(system, open, {
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
    told(system, open, {
      change: 'delete-user',
      query: 'notes-of-user-1',
      obvious: ['users-in-us'],
      complete: ['users-in-us', 'notes-of-user-1'],
    }),
};
