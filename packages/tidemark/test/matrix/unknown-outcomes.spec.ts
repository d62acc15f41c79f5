/**
 * Write paths 47 to 49: the outcome of the transaction is unknown. Whether it
 * was committed or not, the answers that it may have changed are ended, and become hits again without
 * help. Here the writer's connection is lost; in the tests of faults its whole process dies.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { QueryRunner } from 'typeorm';
import type { CachedApplication } from '../support/cached-application.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { Customer } from './fixtures/shop.entities.js';
import { allCustomers, euCustomers, shop, type ShopAnswer } from './fixtures/shop.js';
import { hold, Matrix, type MatrixRow } from './matrix.js';

const POOL_SIZE = 5;
const cleo: readonly ShopAnswer[] = [...euCustomers, 'customer 3', ...allCustomers];

let proxy: TcpProxy;
let matrix: Matrix<ShopAnswer>;

beforeAll(async () => {
  matrix = await Matrix.open(shop, {
    cache: { markLeaseMs: 200 },
    through: async (url) => {
      proxy = await TcpProxy.open(Number(url.port));
      const detour = new URL(url);
      detour.port = String(proxy.port);
      return detour;
    },
  });
});

afterAll(async () => {
  await matrix.close();
  await proxy.close();
});

/** Cuts the connection as soon as the bytes of COMMIT pass it in the direction. */
async function cutAtCommit(
  direction: 'to-server' | 'to-client',
  write: () => Promise<unknown>,
): Promise<void> {
  const commit = proxy.holdAt(direction, 'COMMIT\0');
  const written = write().then(
    () => 'committed',
    () => 'failed',
  );
  await commit.reached();
  commit.drop();
  if ((await written) !== 'failed') throw new Error('The writer has not noticed the cut.');
}

/** Leaves a transaction open on a connection that the pool hands on as it is. */
async function leaveOpen({ source }: CachedApplication): Promise<void> {
  const runner = source.createQueryRunner();
  await runner.startTransaction();
  await runner.manager.update(Customer, 3, { visits: 1 });
  await runner.release();
}

/** Sends the statement over every connection of the pool. */
async function everywhere({ source }: CachedApplication, statement: string): Promise<void> {
  const runners: QueryRunner[] = [];
  for (let index = 0; index < POOL_SIZE; index += 1) {
    const runner = source.createQueryRunner();
    await runner.connect();
    runners.push(runner);
  }
  for (const runner of runners) await runner.query(statement);
  for (const runner of runners) await runner.release();
}

const rows: readonly MatrixRow<ShopAnswer>[] = [
  {
    path: '47 connection lost before the COMMIT arrived: rolled back',
    write: ({ source }) =>
      cutAtCommit('to-server', () =>
        source.transaction((manager) => manager.update(Customer, 3, { visits: 1 })),
      ),
    ends: cleo,
  },
  {
    path: '47 connection lost before the answer to COMMIT arrived: committed',
    write: ({ source }) =>
      cutAtCommit('to-client', () =>
        source.transaction((manager) => manager.update(Customer, 3, { visits: 1 })),
      ),
    ends: cleo,
  },
  {
    path: '47 connection lost before the answer to the COMMIT of a statement alone arrived',
    write: ({ source }) =>
      cutAtCommit('to-client', () => source.query('UPDATE customers SET visits = 5 WHERE id = 3')),
    ends: cleo,
  },
  {
    path: '48 query runner released with an open transaction, which a later user commits',
    write: async (app) => {
      await leaveOpen(app);
      await everywhere(app, 'COMMIT');
    },
    ends: cleo,
  },
  {
    path: '48 query runner released with an open transaction, which a later user rolls back',
    write: async (app) => {
      await leaveOpen(app);
      await everywhere(app, 'ROLLBACK');
    },
    ends: [],
  },
  {
    path: '49 backend terminated between the write and its COMMIT',
    write: async ({ source }) => {
      const runner = source.createQueryRunner();
      await runner.startTransaction();
      await runner.manager.update(Customer, 3, { visits: 1 });
      const [mine] = (await runner.query('SELECT pg_backend_pid() AS pid')) as { pid: number }[];
      await source.query('SELECT pg_terminate_backend($1, 20000)', [mine?.pid]);
      await runner.commitTransaction().catch(() => undefined);
      await runner.release().catch(() => undefined);
    },
    ends: [],
  },
];

describe('the matrix: writes of unknown outcome', () => {
  for (const row of rows) it(`path ${row.path}`, () => hold(matrix, row));
});
