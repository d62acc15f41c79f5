/** Write paths 27 to 29, first part: the database's own writes for a foreign key. */
import { customers, orders } from './fixtures/shop-writers.js';
import {
  allCustomers,
  allOrders,
  byCustomer3sEnd,
  byOrder3sEnd,
  euCustomers,
  euOrders,
  shop,
  type ShopAnswer,
} from './fixtures/shop.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '27 ON DELETE CASCADE and SET NULL: items go, invoices stay',
    write: (app) => orders(app).delete(3),
    ends: [...euOrders, 'order 3', ...allOrders, ...byOrder3sEnd],
  },
  {
    path: '27 ON DELETE CASCADE over two steps: customer, orders, items',
    write: (app) => customers(app).delete(1),
    ends: [
      ...['customers US', 'customer 1', ...allCustomers, 'contacts', 'notes', 'note 1'],
      ...['orders US', 'order 1', ...allOrders, 'items', 'item 1', 'invoices', 'invoice 1'],
      'order tags',
    ] as ShopAnswer[],
  },
  {
    path: '27 DELETE that finds no row cascades nowhere',
    write: (app) => orders(app).delete(99),
    ends: [],
  },
  {
    path: '28 ON DELETE SET DEFAULT: notes fall to customer 4',
    write: async (app) => {
      await app.source.query(`DELETE FROM contacts`);
      await app.source.query(`DELETE FROM customers WHERE name = 'cleo'`);
    },
    ends: [...euCustomers, 'customer 3', ...allCustomers, ...byCustomer3sEnd],
  },
  {
    path: '28 ON UPDATE CASCADE: contacts follow the name',
    write: (app) => customers(app).update(3, { name: 'cleopatra' }),
    ends: [...euCustomers, 'customer 3', ...allCustomers, 'contacts'],
  },
  {
    path: '28 UPDATE of a column that no foreign key names cascades nowhere',
    write: (app) => customers(app).update(3, { visits: 8 }),
    ends: [...euCustomers, 'customer 3', ...allCustomers],
  },
];

describeMatrix('writes by foreign keys', shop, rows);
