/** Real: PostgreSQL. What the cache itself asks, over a data source that bounds nothing. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { askPrimary } from '../../src/query-cache/sql/own-question.js';
import { createDatabase } from '../support/shared-postgres.js';
import { TcpValve } from '../support/tcp-valve.js';

const LIMIT_MS = 200;
const QUESTION = 'SELECT pg_catalog.pg_backend_pid() AS pid';

let valve: TcpValve;
let source: DataSource;

beforeAll(async () => {
  const url = new URL(await createDatabase());
  valve = await TcpValve.open(Number(url.port));
  url.port = String(valve.port);
  source = new DataSource({ type: 'postgres', url: url.href, poolSize: 1 });
  await source.initialize();
});

afterAll(async () => {
  await source.destroy();
  await valve.close();
});

it('a question that gets no answer rejects, and the next one goes over another connection', async () => {
  const [before] = await askPrimary(source, QUESTION);
  valve.freeze();
  await expect(askPrimary(source, QUESTION, [], LIMIT_MS)).rejects.toThrow('Query read timeout');
  valve.thaw();
  const [after] = await askPrimary(source, QUESTION);
  expect(after?.['pid']).not.toBe(before?.['pid']);
});

it('a transaction that was left open is not asked in', async () => {
  const runner = source.createQueryRunner();
  await runner.startTransaction();
  await runner.release();
  await expect(askPrimary(source, QUESTION)).rejects.toThrow('left in a transaction');
  expect(await askPrimary(source, QUESTION)).toHaveLength(1);
});
