/** The matrix itself: it sees a write that is not followed, one that ends too much, and no cache. */
import { afterEach, describe, expect, it } from 'vitest';
import { StatementInterceptor } from '../../src/typeorm/statements/statement-interceptor.js';
import { customers } from './fixtures/shop-writers.js';
import { allCustomers, shop, type ShopAnswer } from './fixtures/shop.js';
import { hold, Matrix } from './matrix.js';

const row = {
  write: (app: Matrix<ShopAnswer>['app']) => customers(app).update(1, { visits: 3 }),
  ends: ['customers US', 'customer 1', ...allCustomers] as const,
};

let matrix: Matrix<ShopAnswer>;

afterEach(() => matrix.close());

describe('a row of the matrix', () => {
  it('holds', async () => {
    matrix = await Matrix.open(shop);
    await hold(matrix, row);
  });

  it('fails where no subscriber follows the writes, also a row that ends nothing', async () => {
    matrix = await Matrix.open(shop, { hasTriggers: false });
    // A subscriber that is missing would be put back.
    const isWatcher = (subscriber: object) => subscriber instanceof StatementInterceptor;
    Object.assign(matrix.app.source.subscribers.find(isWatcher) ?? {}, { isListening: false });
    await expect(hold(matrix, row)).rejects.toThrow('to deeply equal');
    await expect(hold(matrix, { write: async () => undefined, ends: [] })).rejects.toThrow(
      'to deeply equal',
    );
  });

  it('fails where nothing is cached', async () => {
    matrix = await Matrix.open(shop, { cache: { maxEntryBytes: 1 }, patienceMs: 100 });
    await expect(hold(matrix, row)).rejects.toThrow('does not come from the cache');
  });

  it('fails where more or fewer answers end than it names', async () => {
    matrix = await Matrix.open(shop);
    const { write } = row;
    await expect(hold(matrix, { write, ends: allCustomers })).rejects.toThrow('customer 1');
    await expect(hold(matrix, { write, ends: [...row.ends, 'customer 2'] })).rejects.toThrow(
      'customer 2',
    );
  });
});
