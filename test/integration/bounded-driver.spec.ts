/** Real: PostgreSQL, a data source as the service has it. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { DatabaseBusyError, DriverBounds } from '../../src/database/bounded-driver.js';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { isDatabaseUnavailable } from '../../src/database/database-unavailable.js';
import { eventually } from '../support/eventually.js';
import { createDatabase } from '../support/shared-postgres.js';

let url: string;
let source: DataSource;

beforeAll(async () => {
  url = await createDatabase();
});

afterEach(() => source.destroy());

async function start(bounds: DriverBounds): Promise<void> {
  source = await new DataSource(dataSourceOptions({ url, poolSize: 1, bounds })).initialize();
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a statement over its time limit', () => {
  const bounds = new DriverBounds();

  beforeEach(async () => {
    await start(bounds);
    bounds.statementTimeoutMs = 300;
  });

  it('fails as an unavailable database, and ends on the server too', async () => {
    expect(isDatabaseUnavailable(await failureOf(source.query('SELECT pg_sleep(60)')))).toBe(true);
    await eventually(async () => {
      const sleeping = `SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'`;
      expect(await source.query(sleeping)).toEqual([]);
    });
  });

  it('ends its transaction too, and leaves no connection in one', async () => {
    await source.query('CREATE TABLE IF NOT EXISTS notes (id int)');
    const work = source.transaction(async (manager) => {
      await manager.query('INSERT INTO notes VALUES (1)');
      await manager.query('SELECT pg_sleep(60)');
    });
    expect(isDatabaseUnavailable(await failureOf(work))).toBe(true);
    await source.query('INSERT INTO notes VALUES (2)');
    expect(await source.query('SELECT id FROM notes')).toEqual([{ id: 2 }]);
  });

  it('is not limited before the bound is in force', async () => {
    bounds.statementTimeoutMs = 0;
    expect(await source.query('SELECT 1 AS one FROM pg_sleep(0.5)')).toEqual([{ one: 1 }]);
  });
});

describe('callers that wait for a connection', () => {
  it('are refused at once where too many wait already, and the others are served', async () => {
    await start(new DriverBounds(2));
    const runner = source.createQueryRunner();
    await runner.connect();
    const asked = Array.from({ length: 5 }, (_, number) =>
      source.query<object[]>(`SELECT ${number} AS number`),
    );
    const refused = await Promise.all(asked.slice(2).map(failureOf));
    expect(refused.every((error) => error instanceof DatabaseBusyError)).toBe(true);
    await runner.release();
    expect(await Promise.all(asked.slice(0, 2))).toEqual([[{ number: 0 }], [{ number: 1 }]]);
  });
});
