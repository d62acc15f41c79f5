/** Write paths 17 to 22: statements of query builders. */
import { Customer, Item } from './fixtures/shop.entities.js';
import { customers, orders } from './fixtures/shop-writers.js';
import {
  allCustomers,
  allOrders,
  euCustomers,
  euOrders,
  shop,
  type ShopAnswer,
} from './fixtures/shop.js';
import { isTypeorm03 } from '../support/typeorm-line.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '17 insert of many values',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .insert()
        .values([
          { name: 'eve', region: 'EU' },
          { name: 'fay', region: 'APAC' },
        ])
        .execute(),
    ends: [...euCustomers, 'customers APAC', ...allCustomers],
  },
  {
    path: '17 insert of a value that the database makes',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .insert()
        .values({ name: 'eve', region: () => `lower('EU')` })
        .returning('id')
        .execute(),
    ends: allCustomers,
  },
  {
    path: '18 insert with orUpdate',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .insert()
        .values({ name: 'cleo', region: 'EU', visits: 7 })
        .orUpdate(['visits'], ['name'])
        .returning('id')
        .execute(),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '18 insert with orUpdate that gives the region back, which it leaves as it was',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .insert()
        .values({ name: 'cleo', region: 'US', visits: 7 })
        .orUpdate(['visits'], ['name'])
        .returning(['id', 'region'])
        .execute(),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '19 insert with orIgnore that inserts',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .insert()
        .values({ name: 'eve', region: 'EU' })
        .orIgnore()
        .execute(),
    ends: [...euCustomers, ...allCustomers],
  },
  {
    path: '19 insert with orIgnore that ignores',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .insert()
        .values({ name: 'cleo', region: 'EU' })
        .orIgnore()
        .execute(),
    ends: [],
  },
  {
    path: '20 update by key',
    write: (app) =>
      customers(app).createQueryBuilder().update().set({ visits: 3 }).whereInIds([3]).execute(),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '20 update by region, returning the keys',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .update()
        .set({ region: 'EU' })
        .where('region = :from', { from: 'US' })
        .returning('id')
        .execute(),
    ends: ['customers US', ...euCustomers, 'customer 1', 'customer 2', ...allCustomers],
  },
  {
    path: '20 update with an expression, callListeners(false)',
    write: (app) =>
      orders(app)
        .createQueryBuilder()
        .update()
        .set({ total: () => 'total * 2' })
        .where('id = :id', { id: 3 })
        .callListeners(false)
        .execute(),
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '20 update by a subquery',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .update()
        .set({ visits: 9 })
        .where('id IN (SELECT customer_id FROM orders WHERE total > 25)')
        .execute(),
    ends: [...euCustomers, 'customer 3', 'customers APAC', ...allCustomers],
  },
  {
    path: '21 delete by key',
    write: (app) =>
      app.source.createQueryBuilder().delete().from(Item).where('id = :id', { id: 1 }).execute(),
    ends: ['items', 'item 1', 'first orders with items'],
  },
  {
    path: '21 delete returning its region',
    write: (app) =>
      app.source
        .createQueryBuilder()
        .delete()
        .from(Customer)
        .where('name = :name', { name: 'dai' })
        .returning(['id', 'region'])
        .execute(),
    ends: ['customers APAC', ...allCustomers, ...allOrders],
  },
  {
    path: '21 delete, callListeners(false)',
    write: (app) =>
      app.source
        .createQueryBuilder()
        .delete()
        .from(Item)
        .whereInIds([4])
        .callListeners(false)
        .execute(),
    ends: ['items', 'item 4', 'first orders with items'],
  },
  {
    path: '22 soft delete by key',
    write: (app) => customers(app).createQueryBuilder().softDelete().whereInIds([3]).execute(),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
  {
    path: '22 restore by region, returning the keys',
    write: (app) =>
      customers(app)
        .createQueryBuilder()
        .restore()
        .where('region = :region', { region: 'EU' })
        .returning('id')
        .execute(),
    // TypeORM 0.3 restores customer 3 too, who is not deleted.
    ends: [...euCustomers, ...(isTypeorm03 ? (['customer 3'] as const) : []), ...allCustomers],
  },
];

describeMatrix('writes of query builders', shop, rows);
