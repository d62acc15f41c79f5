/** Write path 50, first part: tables with similar names. */
import type { CachedApplication } from '../support/cached-application.js';
import { EastDepot, OddName, WestDepot, Worker } from './fixtures/places.entities.js';
import { places, type PlaceAnswer } from './fixtures/places.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const sql =
  (text: string) =>
  ({ source }: CachedApplication): Promise<unknown> =>
    source.query(text);

const rows: readonly MatrixRow<PlaceAnswer>[] = [
  {
    path: '50 schemas with same-named tables: one of them, by its entity',
    write: ({ source }) => source.manager.update(EastDepot, 2, { stock: 9 }),
    ends: ['east depots', 'east depots EU'],
  },
  {
    path: '50 schemas with same-named tables: the other, in raw SQL',
    write: sql('UPDATE west.depots SET stock = 9 WHERE id = 1'),
    ends: ['west depots', 'west depot 1'],
  },
  {
    path: '50 schemas with same-named tables: by the search path of the session',
    write: async ({ source }) => {
      await source.transaction(async (manager) => {
        await manager.query('SET LOCAL search_path TO west');
        await manager.query('UPDATE depots SET stock = 7 WHERE id = 2');
      });
    },
    ends: ['west depots', 'west depots EU'],
  },
  {
    path: '50 schemas with same-named tables: rows that go from one to the other',
    write: async ({ source }) => {
      const moved = await source.manager.findOneByOrFail(EastDepot, { id: 2 });
      await source.transaction(async (manager) => {
        await manager.delete(EastDepot, { id: 2 });
        await manager.insert(WestDepot, { ...moved, id: 7 });
      });
    },
    ends: ['east depots', 'east depots EU', 'west depots', 'west depots EU'],
  },
  {
    path: '50 quoted names: the table with capitals',
    write: ({ source }) => source.manager.update(OddName, 2, { region: 'US' }),
    ends: ['Odd_Names', 'Odd_Names EU'],
  },
  {
    path: '50 quoted names: capitals in raw SQL, with and without quotes',
    write: sql('UPDATE "Odd_Names" SET "select" = 5 WHERE "The Id" = 1'),
    ends: ['Odd_Names', 'Odd_Name 1'],
  },
  {
    path: '50 quoted names: the table without capitals, written with them',
    write: sql(`UPDATE Odd_Names SET REGION = 'APAC' WHERE ID = 1`),
    ends: ['odd_names'],
  },
  {
    path: '50 self-join: both references restricted only where both are',
    write: ({ source }) => source.manager.update(Worker, 2, { region: 'APAC' }),
    ends: ['worker 2', 'workers US', 'leaders EU'],
  },
  {
    path: '50 self-join: a row of the region',
    write: ({ source }) => source.manager.update(Worker, 3, { leaderId: null }),
    ends: ['workers EU', 'leaders EU', 'leaders EU of the same region'],
  },
  {
    path: '50 self-join in an UPDATE: the written reference counts',
    write: sql(
      `UPDATE workers w SET leader_id = NULL FROM workers leader
       WHERE leader.id = w.leader_id AND leader.id = 2 RETURNING w.id, w.region`,
    ),
    ends: ['workers EU', 'leaders EU', 'leaders EU of the same region'],
  },
  {
    path: '50 self-reference ON DELETE SET NULL: the rows that named the one that goes',
    write: ({ source }) => source.manager.delete(Worker, { id: 1 }),
    ends: ['workers EU', 'leaders EU', 'leaders EU of the same region'],
  },
];

describeMatrix('writes of tables that look alike', places, rows);
