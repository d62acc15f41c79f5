/** Write paths 38 and 50, second part: partitions, inherited tables, views, materialized views. */
import type { CachedApplication } from '../support/cached-application.js';
import { Event, Parcel, Store } from './fixtures/places.entities.js';
import { places, wholePlaceTable, type PlaceAnswer } from './fixtures/places.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const sql =
  (text: string) =>
  ({ source }: CachedApplication): Promise<unknown> =>
    source.query(text);

/** Answers that read the stores in EU, or all of them. */
const euStores: readonly PlaceAnswer[] = [
  'stores',
  'stores EU',
  'view of EU',
  'view of sums',
  'view of a view',
];

const rows: readonly MatrixRow<PlaceAnswer>[] = [
  {
    path: '38 REFRESH MATERIALIZED VIEW: the view, not what it is made of',
    write: sql('REFRESH MATERIALIZED VIEW ranking'),
    ends: ['materialized view'],
  },
  {
    path: '38 REFRESH MATERIALIZED VIEW CONCURRENTLY',
    write: async ({ source }) => {
      await source.manager.update(Store, 1, { sales: 99 });
      await source.query('REFRESH MATERIALIZED VIEW CONCURRENTLY ranking');
    },
    ends: ['stores', 'stores US', 'store 1', 'view of sums', 'materialized view'],
  },
  {
    path: '38 a write to the table under a materialized view leaves the view as it is',
    write: ({ source }) => source.manager.update(Store, 1, { sales: 77 }),
    ends: ['stores', 'stores US', 'store 1', 'view of sums'],
  },
  {
    path: '50 views end with what they show of the table under them',
    write: ({ source }) => source.manager.insert(Store, { id: 9, region: 'EU', sales: 40 }),
    ends: euStores,
  },
  {
    path: '50 updatable view: the table under it',
    write: sql('UPDATE eu_stores SET sales = 50 WHERE id = 2'),
    ends: euStores,
  },
  {
    path: '50 updatable view over a view: the table under both',
    write: sql('UPDATE rich_eu_stores SET sales = 60 WHERE id = 2'),
    ends: euStores,
  },
  {
    path: '50 insert through an updatable view',
    write: sql(`INSERT INTO eu_stores (id, region, sales) VALUES (9, 'EU', 1)`),
    ends: euStores,
  },
  {
    path: '50 insert into a view whose INSTEAD OF trigger writes',
    write: sql(`INSERT INTO sums (region, sales) VALUES ('EU', 1)`),
    ends: euStores,
  },
  {
    path: '50 insert into a table whose rule writes another',
    write: sql('INSERT INTO deliveries VALUES (1)'),
    ends: ['stores', 'stores US', 'store 1', 'view of sums'],
  },
  {
    path: '50 partitioned table: a row in one partition',
    write: ({ source }) => source.manager.insert(Event, { id: 9, region: 'EU' }),
    ends: ['events', 'events EU', 'partition US', 'partition EU'],
  },
  {
    path: '50 partitioned table: a row moves to another partition',
    write: sql(`UPDATE events SET region = 'EU' WHERE id = 1 AND region = 'US'`),
    ends: wholePlaceTable('events'),
  },
  {
    path: '50 partition written by its own name: the table it belongs to',
    write: sql(`UPDATE events_us SET guests = 11 WHERE id = 1 AND region = 'US'`),
    ends: wholePlaceTable('events'),
  },
  {
    path: '50 TRUNCATE of a partition',
    write: sql('TRUNCATE events_eu'),
    ends: wholePlaceTable('events'),
  },
  {
    path: '50 inherited table: a row of the parent',
    write: ({ source }) => source.manager.update(Parcel, 1, { grams: 1 }),
    ends: ['parcels', 'parcel 1', 'express parcels'],
  },
  {
    path: '50 inherited table: ONLY the parent',
    write: sql('UPDATE ONLY parcels SET grams = 5 WHERE id = 1'),
    ends: ['parcels', 'parcel 1', 'express parcels'],
  },
  {
    path: '50 inherited table: a row of the child is one of the parent',
    write: sql(`UPDATE express_parcels SET grams = 7 WHERE id = 3`),
    ends: wholePlaceTable('parcels'),
  },
];

describeMatrix('writes of tables made of others', places, rows);
