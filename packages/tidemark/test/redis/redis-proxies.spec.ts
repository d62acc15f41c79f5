/**
 * Real: PostgreSQL, Redis. A proxy before Redis closes connections, as those of managed services do. The reader behind
 * it shows no old answer, and answers from its cache again.
 */
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from 'vitest';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { StatementCounter } from '../support/statement-counter.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { Customer } from '../fixtures/entities.js';

const ROUNDS = 5;
const ID = 1;

const visits = defineQuery({
  name: 'customers.visits',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.id = :id', { id }),
  map: ({ visits: count }: Customer) => count,
}).bind({ id: ID });

let redis: RedisServer;
let proxy: TcpProxy;
let writer: CachedApplication;
let reader: CachedApplication;
let sql: StatementCounter;

beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  proxy = await TcpProxy.open(redis.port);
  const databaseUrl = await createDatabase();
  const start = (url: string) =>
    CachedApplication.start({
      databaseUrl,
      entities: [Customer],
      synchronize: true,
      cache: { redis: { url, timeoutMs: 5_000 } },
      invalidation: { triggers: 'install' },
    });
  writer = await start(redis.url);
  reader = await start(proxy.redisUrl);
  sql = StatementCounter.attach(reader.source);
  await writer.source.getRepository(Customer).insert({ id: ID, name: 'Ada', region: 'US' });
});

afterEach(async () => {
  sql.detach();
  await Promise.all([writer.stop(), reader.stop()]);
  await proxy.close();
});

const write = (by: CachedApplication, count: number) =>
  by.source.getRepository(Customer).update(ID, { visits: count });

const read = () => reader.cache.run(visits);

async function hits(count: number): Promise<void> {
  await eventually(async () => {
    sql.reset();
    expect(await reader.observe(read)).toEqual({ value: count, outcomes: ['hit'] });
    expect(sql.selectsFrom('customers')).toEqual([]);
  });
}

it.each<[string, (count: number) => Promise<unknown>]>([
  [
    'before a write of another instance',
    async (count) => {
      proxy.cut();
      await write(writer, count);
    },
  ],
  [
    'after it',
    async (count) => {
      await write(writer, count);
      proxy.cut();
    },
  ],
  [
    'while it is read',
    async (count) => {
      await write(writer, count);
      const reading = read();
      await nextTurn();
      proxy.cut();
      expect(await reading).toBe(count);
    },
  ],
  [
    'during a write of the reader',
    async (count) => {
      const writing = write(reader, count);
      await nextTurn();
      proxy.cut();
      await writing;
    },
  ],
])('a connection that is closed %s costs hits alone', async (_when, work) => {
  for (let count = 1; count <= ROUNDS; count += 1) {
    await hits(count - 1);
    await work(count);
    expect(await read()).toBe(count);
  }
  await hits(ROUNDS);
});
