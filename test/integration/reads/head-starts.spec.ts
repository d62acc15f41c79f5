/** Real: PostgreSQL, Redis. Queries that are sent before Redis has answered. */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { defineQuery } from '../../../src/query-cache/index.js';
import { CachedApplication } from '../../support/cached-application.js';
import { eventually } from '../../support/eventually.js';
import { RedisMonitor } from '../../support/redis-monitor.js';
import { RedisServer } from '../../support/redis-server.js';
import { createDatabase } from '../../support/shared-postgres.js';
import { StatementCounter } from '../../support/statement-counter.js';

@Entity('rivers')
class River {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

const riversFrom = defineQuery({
  name: 'rivers.from',
  build: (source, { id }: { id: number }) =>
    source.getRepository(River).createQueryBuilder('r').where('r.id >= :id', { id }),
  map: ({ name }) => name,
});

/** Misses in a row that prove a head start worthwhile. */
const PROVEN_BY = 64;

let server: RedisServer;
let admin: Redis;
let one: CachedApplication;
let two: CachedApplication;
let sql: StatementCounter;
let asked = 0;
/** Whose answers have been stored, or are on their way. */
const missed = new Set<number>();

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.port);
  const databaseUrl = await createDatabase();
  const start = () =>
    CachedApplication.start({
      databaseUrl,
      entities: [River],
      synchronize: true,
      // It stands still, and is not to be taken for dead.
      cache: { redis: { url: server.url, timeoutMs: 60_000 } },
    });
  one = await start();
  two = await start();
  sql = StatementCounter.attach(one.source);
  await one.source.query(`INSERT INTO rivers VALUES (1, 'Elbe')`);
  await eventually(async () => requireEqual((await ask(one, 1)).outcome, 'hit'));
});

afterAll(async () => {
  sql.detach();
  await Promise.all([one.stop(), two.stop()]);
  admin.disconnect();
  await server.stop();
});

beforeEach(async () => {
  for (let i = 0; i < PROVEN_BY; i += 1) requireEqual((await ask(one, anew())).outcome, 'miss');
});

function requireEqual(actual: unknown, wanted: unknown): void {
  if (actual !== wanted) throw new Error(`${String(actual)} where ${String(wanted)} was wanted`);
}

async function entryCount(): Promise<number> {
  const [, found] = await admin.scan(0, 'MATCH', 'tidemark:e:*', 'COUNT', 100_000);
  return found.length;
}

/** An answer that nobody has asked for. */
const anew = (): number => (asked -= 1);

async function ask(app: CachedApplication, id: number) {
  sql.reset();
  const { value, outcomes } = await app.observe(() => app.cache.run(riversFrom.bind({ id })));
  const outcome = outcomes.at(-1);
  if (outcome === 'miss') missed.add(id);
  return { value, outcome, selects: sql.selectsFrom('rivers').length };
}

it('are answered and stored as others are', async () => {
  const id = anew();
  server.pause();
  const asking = ask(one, id);
  try {
    await eventually(() => expect(sql.selectsFrom('rivers')).toHaveLength(1));
  } finally {
    server.resume();
  }
  expect(await asking).toEqual({ value: ['Elbe'], outcome: 'miss', selects: 1 });
  expect(await ask(one, id)).toEqual({ value: ['Elbe'], outcome: 'hit', selects: 0 });
  await eventually(async () => {
    expect(await ask(two, id)).toEqual({ value: ['Elbe'], outcome: 'hit', selects: 0 });
  });
});

it('look for an entry in Redis only where there is one', async () => {
  const known = anew();
  await ask(two, known);
  await eventually(async () => expect(await entryCount()).toBe(missed.size));
  const monitor = await RedisMonitor.start(admin, /^tidemark:e:/);
  try {
    for (let i = 0; i < 5; i += 1) expect((await ask(one, anew())).outcome).toBe('miss');
    expect((await ask(one, known)).outcome).toBe('hit');
    const names = await monitor.names();
    expect(names.filter((name) => name === 'getrange')).toHaveLength(1);
  } finally {
    monitor.stop();
  }
});

it('see a write of another instance that has been answered', async () => {
  for (const name of ['Oder', 'Spree', 'Elbe']) {
    // Filled early, and stored.
    const id = anew();
    await ask(one, id);
    expect(await ask(one, id)).toMatchObject({ outcome: 'hit', selects: 0 });
    await two.source.query('UPDATE rivers SET name = $1', [name]);
    expect(await ask(one, id)).toMatchObject({ value: [name], selects: 1 });
    for (let i = 0; i < 3; i += 1) expect((await ask(one, anew())).value).toEqual([name]);
    await eventually(async () => expect((await ask(one, anew())).outcome).toBe('miss'));
    for (let i = 0; i < PROVEN_BY; i += 1) expect((await ask(one, anew())).value).toEqual([name]);
  }
});

it('wait for Redis again once that had the answer', async () => {
  const id = anew();
  expect((await ask(two, id)).outcome).toBe('miss');
  await eventually(async () => expect(await entryCount()).toBe(missed.size));
  const { value, outcome } = await ask(one, id);
  expect({ value, outcome }).toEqual({ value: ['Elbe'], outcome: 'hit' });
  server.pause();
  const asking = ask(one, anew());
  try {
    await delay(50);
    expect(sql.selectsFrom('rivers')).toEqual([]);
  } finally {
    server.resume();
  }
  expect(await asking).toMatchObject({ outcome: 'miss', selects: 1 });
});

it('are few where another instance asks for the same', async () => {
  const ids = Array.from({ length: 20 }, anew);
  for (const id of ids) await ask(two, id);
  // Their entries in Redis are outdated from here on.
  await two.source.query(`UPDATE rivers SET name = 'Elbe'`);
  for (const app of [one, two]) {
    await eventually(async () => requireEqual((await ask(app, anew())).outcome, 'miss'));
    for (let i = 0; i < PROVEN_BY; i += 1) await ask(app, anew());
  }
  sql.reset();
  for (const id of ids) {
    await Promise.all([one, two].map((app) => app.cache.run(riversFrom.bind({ id }))));
  }
  // One for each, and one in vain for each instance.
  expect(sql.selectsFrom('rivers').length).toBeLessThanOrEqual(ids.length + 2);
});
