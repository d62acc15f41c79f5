/** Write paths 1 to 8: entities that are saved, removed, hidden and brought back. */
import { In } from 'typeorm';
import { customers, loadCustomer } from './fixtures/shop-writers.js';
import {
  allCustomers,
  allOrders,
  byCustomer3sEnd,
  euCustomers,
  shop,
  type ShopAnswer,
} from './fixtures/shop.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '1 save: insert',
    write: (app) => customers(app).save({ name: 'eve', region: 'EU' }),
    ends: [...euCustomers, ...allCustomers],
  },
  {
    path: '1 save: insert without a transaction, and without reading the new key back',
    write: (app) =>
      customers(app).save({ name: 'eve', region: 'APAC' }, { transaction: false, reload: false }),
    ends: ['customers APAC', ...allCustomers],
  },
  {
    path: '2 save: update in place',
    write: async (app) => customers(app).save({ ...(await loadCustomer(app, 1)), visits: 5 }),
    ends: ['customers US', 'customer 1', ...allCustomers],
  },
  {
    path: '2 save: update that also follows a foreign key ON UPDATE CASCADE',
    write: async (app) => customers(app).save({ ...(await loadCustomer(app, 1)), name: 'anna' }),
    ends: ['customers US', 'customer 1', ...allCustomers, 'contacts'],
  },
  {
    path: '2 save: entity that has not changed',
    write: async (app) => customers(app).save(await loadCustomer(app, 1)),
    ends: [],
  },
  {
    path: '2 save: partial entity, loaded by TypeORM itself',
    write: (app) => customers(app).save({ id: 3, visits: 2 }),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '3 save: move between regions',
    write: async (app) => customers(app).save({ ...(await loadCustomer(app, 1)), region: 'EU' }),
    ends: ['customers US', ...euCustomers, 'customer 1', ...allCustomers],
  },
  {
    path: '3 save: move of a row that another writer has moved since it was loaded',
    write: async (app) => {
      const loaded = await loadCustomer(app, 1);
      await app.source.query(`UPDATE customers SET region = 'APAC' WHERE id = 1`);
      await customers(app).save({ ...loaded, region: 'EU' });
    },
    ends: ['customers US', 'customers APAC', 'customer 1', ...allCustomers, ...euCustomers],
  },
  {
    path: '4 save: many at once',
    write: async (app) => {
      const some = await customers(app).findBy({ id: In([1, 3]) });
      return customers(app).save(some.map((row) => ({ ...row, visits: 5 })));
    },
    ends: ['customers US', ...euCustomers, 'customer 1', 'customer 3', ...allCustomers],
  },
  {
    path: '4 save: many in chunks, inserts and updates mixed',
    write: async (app) =>
      customers(app).save(
        [
          { name: 'eve', region: 'APAC' },
          { ...(await loadCustomer(app, 2)), visits: 1 },
        ],
        { chunk: 1 },
      ),
    ends: ['customers APAC', 'customers US', 'customer 2', ...allCustomers],
  },
  {
    path: '5 save: listeners: false',
    write: async (app) =>
      customers(app).save({ ...(await loadCustomer(app, 3)), region: 'US' }, { listeners: false }),
    ends: ['customers US', ...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '5 save: transaction: false',
    write: async (app) =>
      customers(app).save(
        { ...(await loadCustomer(app, 3)), region: 'APAC' },
        { transaction: false },
      ),
    ends: ['customers APAC', ...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '6 remove',
    write: async (app) => customers(app).remove(await loadCustomer(app, 2)),
    ends: ['customers US', 'customer 2', ...allCustomers, 'orders US', ...allOrders, 'items'],
  },
  {
    path: '6 remove: many, without listeners and transaction',
    write: async (app) =>
      customers(app).remove([await loadCustomer(app, 2), await loadCustomer(app, 3)], {
        listeners: false,
        transaction: false,
      }),
    ends: [
      'customers US',
      ...euCustomers,
      'customer 2',
      'customer 3',
      ...allCustomers,
      'orders US',
      ...byCustomer3sEnd,
    ],
  },
  {
    path: '6 remove: row of a table that nothing points at',
    write: (app) => app.source.query('DELETE FROM tags WHERE id = 3'),
    ends: ['tags', 'orders with tags'],
  },
  {
    path: '7 softRemove',
    write: async (app) => customers(app).softRemove(await loadCustomer(app, 2)),
    ends: ['customers US', 'customer 2', ...allCustomers],
  },
  {
    path: '7 softRemove: many',
    write: async (app) =>
      customers(app).softRemove(await customers(app).findBy({ id: In([2, 3]) })),
    ends: ['customers US', ...euCustomers, 'customer 2', 'customer 3', ...allCustomers],
  },
  {
    path: '8 recover',
    write: async (app) => customers(app).recover(await loadCustomer(app, 5)),
    ends: [...euCustomers, ...allCustomers],
  },
];

describeMatrix('writes of entities', shop, rows);
