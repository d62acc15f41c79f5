/** Real: PostgreSQL. The cache's own queries, over a data source without limits. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { askPrimary } from '../../src/typeorm/database/own-question.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';

const LIMIT_MS = 200;
const QUESTION = 'SELECT pg_catalog.pg_backend_pid() AS pid';

let proxy: TcpProxy;
let source: DataSource;

beforeAll(async () => {
  const url = new URL(await createDatabase());
  proxy = await TcpProxy.open(Number(url.port));
  url.port = String(proxy.port);
  source = new DataSource({ type: 'postgres', url: url.href, poolSize: 1 });
  await source.initialize();
});

afterAll(async () => {
  await source.destroy();
  await proxy.close();
});

it('a query of the cache without an answer rejects, and the next one uses another connection', async () => {
  const [before] = await askPrimary(source, QUESTION);
  proxy.freeze();
  await expect(askPrimary(source, QUESTION, [], LIMIT_MS)).rejects.toThrow('Query read timeout');
  proxy.thaw();
  const [after] = await askPrimary(source, QUESTION);
  expect(after?.['pid']).not.toBe(before?.['pid']);
});

it('the cache sends no query in a transaction that was left open', async () => {
  const runner = source.createQueryRunner();
  await runner.startTransaction();
  await runner.release();
  await expect(askPrimary(source, QUESTION)).rejects.toThrow('left in a transaction');
  expect(await askPrimary(source, QUESTION)).toHaveLength(1);
});
