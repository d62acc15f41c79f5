/** Real: PostgreSQL, Redis. What a miss sends to both. */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { defineQuery } from '../../../src/query-cache/index.js';
import { RedisServer } from '../../support/redis-server.js';
import { CachedReads } from './cached-reads.js';

@Entity('cities')
class City {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

const from = defineQuery({
  name: 'cities.from',
  build: (source, { id }: { id: number }) =>
    source.getRepository(City).createQueryBuilder('c').where('c.id >= :id', { id }).orderBy('c.id'),
});
const SELECTS = /^SELECT "c"/;
const NO_ROW_LATER = 3;

let server: RedisServer;
let admin: Redis;
let reads: CachedReads;
let asked = 0;

/** A query whose answer nobody has asked for. */
const anew = () => from.bind({ id: (asked -= 1) });

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.port);
  reads = await CachedReads.start([City], [], { redis: { url: server.url } });
  await reads.write(`INSERT INTO cities SELECT i, 'city ' || i FROM generate_series(1, 2) i`);
  // The versions are there, and what was written is in doubt no longer.
  await reads.warm(() => from.bind({ id: NO_ROW_LATER }));
});

afterAll(async () => {
  await reads.stop();
  admin.disconnect();
  await server.stop();
});

beforeEach(() => admin.config('RESETSTAT'));

/** How often each command was sent, without what the connection itself asks. */
async function commands(): Promise<Record<string, number>> {
  const text = await admin.info('commandstats');
  const calls = [...text.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)];
  return Object.fromEntries(calls.map(([, name = '', count]) => [name, Number(count)]));
}

it('asks Redis for the versions, the entry and the lock, and stores: each once', async () => {
  const { outcome, statements, value } = await reads.read(anew());
  expect(value).toHaveLength(2);
  expect(outcome).toBe('miss');
  expect(statements).toEqual([expect.stringMatching(SELECTS)]);
  await delay(50);
  // One script takes the lock by EXISTS and SET, another gives it back. Heartbeats send GET too.
  expect(await commands()).toMatchObject({ mget: 1, evalsha: 2, exists: 1, set: 2 });
});

const prepared = () =>
  reads.app.source.query<unknown[]>(
    `SELECT FROM pg_prepared_statements WHERE statement LIKE 'SELECT "c"%'`,
  );

it.each([
  ['has forgotten it', 'DEALLOCATE ALL'],
  ['gives it other columns now', 'ALTER TABLE cities ALTER COLUMN name TYPE varchar(40)'],
])('sends its statement by a name, and without when the server %s', async (_, change) => {
  // Whichever of its connections is taken.
  for (let time = 0; time < 30; time += 1) await reads.read(anew());
  if (change.startsWith('ALTER')) await reads.write(change);
  else {
    expect(await prepared()).not.toEqual([]);
    await reads.leaveBehind(change);
  }
  for (let time = 0; time < 10; time += 1) {
    const { value, statements } = await reads.read(anew());
    expect(value).toEqual([
      { id: 1, name: 'city 1' },
      { id: 2, name: 'city 2' },
    ]);
    expect(statements.filter((text) => SELECTS.test(text)).length).toBeGreaterThan(0);
  }
});
