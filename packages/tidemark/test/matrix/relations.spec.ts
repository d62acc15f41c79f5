/** Write paths 23 to 26: relations, and entities saved and removed along with them. */
import { customers, loadOrder, orders } from './fixtures/shop-writers.js';
import { Customer, Order, Tag } from './fixtures/shop.entities.js';
import { allOrders, euOrders, shop, type ShopAnswer } from './fixtures/shop.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const tagged: readonly ShopAnswer[] = ['order tags', 'orders with tags'];

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '23 relation set: many-to-one',
    write: (app) => app.source.createQueryBuilder().relation(Order, 'customer').of(1).set(3),
    ends: ['orders US', 'order 1', ...allOrders],
  },
  {
    path: '23 relation set to null: many-to-one',
    write: (app) =>
      app.source.createQueryBuilder().relation(Order, 'customer').of([1, 3]).set(null),
    ends: ['orders US', ...euOrders, 'order 1', 'order 3', ...allOrders],
  },
  {
    path: '24 relation add: one-to-many',
    write: (app) => app.source.createQueryBuilder().relation(Customer, 'orders').of(1).add([3, 5]),
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '24 relation remove: one-to-many',
    write: (app) => app.source.createQueryBuilder().relation(Customer, 'orders').of(1).remove(1),
    ends: ['orders US', 'order 1', ...allOrders],
  },
  {
    path: '25 relation add: many-to-many',
    write: (app) => app.source.createQueryBuilder().relation(Order, 'tags').of(5).add([1, 3]),
    ends: tagged,
  },
  {
    path: '25 relation add: many-to-many, from the other side',
    write: (app) => app.source.createQueryBuilder().relation(Tag, 'orders').of(3).add(5),
    ends: tagged,
  },
  {
    path: '25 relation remove: many-to-many',
    write: (app) => app.source.createQueryBuilder().relation(Order, 'tags').of(3).remove(2),
    ends: [...tagged, 'tag 2 of order 3'],
  },
  {
    path: '25 relation addAndRemove: many-to-many',
    write: (app) =>
      app.source.createQueryBuilder().relation(Order, 'tags').of(3).addAndRemove([3], [2]),
    ends: [...tagged, 'tag 2 of order 3'],
  },
  {
    path: '26 save with cascade: new order, new items, a new and an old tag',
    write: async (app) => {
      const old = await app.source.manager.findOneByOrFail(Tag, { id: 1 });
      const customer = await customers(app).findOneByOrFail({ id: 3 });
      return orders(app).save({
        region: 'EU',
        customer,
        items: [{ label: 'hat' }, { label: 'bag' }],
        tags: [old, { label: 'hot' }],
      });
    },
    ends: [...euOrders, ...allOrders, 'items', 'tags', ...tagged],
  },
  {
    path: '26 save with cascade: an item is changed through its order',
    write: async (app) => {
      const order = await loadOrder(app, 3);
      for (const item of order.items) item.label = 'atlas';
      return orders(app).save(order);
    },
    ends: ['items', 'item 4', 'first orders with items'],
  },
  {
    path: '26 orphan removal: an item taken out of its order is deleted',
    write: async (app) => {
      const order = await loadOrder(app, 1);
      order.items = order.items.filter(({ id }) => id !== 1);
      return orders(app).save(order);
    },
    ends: ['items', 'item 1', 'first orders with items'],
  },
  {
    path: '26 orphan that stays: an order taken out of its customer names none',
    write: async (app) => {
      const customer = await customers(app).findOneOrFail({
        where: { id: 3 },
        relations: { orders: true },
      });
      customer.orders = customer.orders.filter(({ id }) => id !== 3);
      return customers(app).save(customer);
    },
    ends: [...euOrders, 'order 3', ...allOrders],
  },
  {
    path: '26 save of another list of tags',
    write: async (app) => {
      const order = await loadOrder(app, 3);
      order.tags = await app.source.manager.findBy(Tag, { id: 3 });
      return orders(app).save(order);
    },
    ends: [...tagged, 'tag 2 of order 3'],
  },
];

describeMatrix('writes of relations', shop, rows);
