import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { isDatabaseUnavailable } from '../../src/database/database-unavailable.js';
import { eventually } from '../support/eventually.js';
import { createDatabase } from '../support/shared-postgres.js';

describe('a connection lost between two statements of one query runner', () => {
  let source: DataSource;

  beforeAll(async () => {
    const url = await createDatabase();
    source = await new DataSource(dataSourceOptions({ url, poolSize: 2 })).initialize();
  });
  afterAll(() => source?.destroy());

  it.each([
    { where: 'outside a transaction', isInTransaction: false },
    { where: 'in a transaction', isInTransaction: true },
  ])('$where counts as a database that cannot be reached', async ({ isInTransaction }) => {
    const runner = source.createQueryRunner();
    try {
      if (isInTransaction) await runner.startTransaction();
      const [row] = (await runner.query('SELECT pg_backend_pid() AS pid')) as { pid: number }[];
      await source.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      await eventually(() => expect(runner.isReleased).toBe(true));
      const failure: unknown = await runner.query('SELECT 1').catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(isDatabaseUnavailable(failure)).toBe(true);
    } finally {
      await runner.release();
    }
  });
});
