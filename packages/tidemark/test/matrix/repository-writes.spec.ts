/** Write paths 9 to 16: statements of repositories without a load. */
import { In } from 'typeorm';
import { customers, items } from './fixtures/shop-writers.js';
import {
  allCustomers,
  allOrders,
  byCustomer3sEnd,
  byCustomersEnd,
  euCustomers,
  shop,
  wholeTable,
  type ShopAnswer,
} from './fixtures/shop.js';
import { isTypeorm03 } from '../support/typeorm-line.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '9 insert',
    write: (app) => customers(app).insert({ name: 'eve', region: 'EU' }),
    ends: [...euCustomers, ...allCustomers],
  },
  {
    path: '9 insert: many',
    write: (app) =>
      customers(app).insert([
        { name: 'eve', region: 'APAC' },
        { name: 'fay', region: 'US' },
      ]),
    ends: ['customers APAC', 'customers US', ...allCustomers],
  },
  {
    path: '9 insert that fails',
    write: (app) =>
      customers(app)
        .insert({ name: 'ann', region: 'US' })
        .catch(() => undefined),
    ends: [],
  },
  {
    path: '10 update by key',
    write: (app) => customers(app).update(1, { visits: 3 }),
    ends: ['customers US', 'customer 1', ...allCustomers],
  },
  {
    path: '10 update by key, to another region',
    write: (app) => customers(app).update({ id: 1 }, { region: 'APAC' }),
    ends: ['customers US', 'customers APAC', 'customer 1', ...allCustomers],
  },
  {
    path: '10 update by several keys',
    write: (app) => customers(app).update([1, 3], { visits: 3 }),
    ends: ['customers US', ...euCustomers, 'customer 1', 'customer 3', ...allCustomers],
  },
  {
    path: '10 update by region',
    write: (app) => customers(app).update({ region: 'EU' }, { visits: 3 }),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '10 update by another column',
    write: (app) => customers(app).update({ name: 'ann' }, { visits: 3 }),
    ends: ['customers US', 'customer 1', ...allCustomers],
  },
  {
    path: '10 update that finds no row',
    write: (app) => customers(app).update({ id: 99 }, { region: 'EU' }),
    ends: [],
  },
  {
    path: '11 delete by key',
    write: (app) => customers(app).delete(3),
    ends: [...euCustomers, 'customer 3', ...allCustomers, ...byCustomer3sEnd],
  },
  {
    path: '11 delete by region',
    write: (app) => customers(app).delete({ region: In(['APAC']) }),
    ends: ['customers APAC', ...allCustomers, ...allOrders],
  },
  {
    path: '11 delete by another column',
    write: (app) => customers(app).delete({ name: 'cleo' }),
    ends: [...euCustomers, 'customer 3', ...allCustomers, ...byCustomer3sEnd],
  },
  {
    path: '11 delete of a table that is no target of foreign keys',
    write: (app) => items(app).delete(4),
    ends: ['items', 'item 4', 'first orders with items'],
  },
  {
    path: '12 upsert that inserts',
    write: (app) => customers(app).upsert({ name: 'eve', region: 'EU' }, ['name']),
    ends: [...euCustomers, ...allCustomers],
  },
  {
    path: '12 upsert that updates: the old region and the new one',
    write: (app) => customers(app).upsert({ name: 'bob', region: 'EU' }, ['name']),
    ends: ['customers US', ...euCustomers, 'customer 2', ...allCustomers],
  },
  {
    path: '13 increment by key',
    write: (app) => customers(app).increment({ id: 1 }, 'visits', 2),
    ends: ['customers US', 'customer 1', ...allCustomers],
  },
  {
    path: '13 decrement by key and region',
    write: (app) => customers(app).decrement({ id: 3, region: 'EU' }, 'visits', 1),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '14 softDelete by key',
    write: (app) => customers(app).softDelete(3),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '15 restore by key',
    write: (app) => customers(app).restore(5),
    ends: [...euCustomers, ...allCustomers],
  },
  {
    path: '15 restore of a row that is not deleted',
    write: (app) => customers(app).restore(3),
    // TypeORM 0.3 restores it too, and sets the date of the update.
    ends: isTypeorm03 ? [...euCustomers, 'customer 3', ...allCustomers] : [],
  },
  {
    path: '16 clear: table width',
    write: (app) => items(app).clear(),
    ends: wholeTable('items'),
  },
  {
    path: '16 clear with cascade: width of all tables that point here',
    write: (app) => customers(app).clear({ cascade: true }),
    ends: [...wholeTable('customers'), ...byCustomersEnd, 'receipts'],
    lacking: 'the option `cascade` of `clear`',
  },
];

describeMatrix('writes of repositories', shop, rows);
