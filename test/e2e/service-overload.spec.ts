/** The built service, whose misses all wait for one lock in the database. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';
import { eventually } from '../support/eventually.js';
import { createDatabase } from '../support/shared-postgres.js';
import { Instance } from './support/instance.js';

/** Of the pool and of its queue together. */
const SERVED = 7;

let instance: Instance;
let stranger: pg.Client;

beforeAll(async () => {
  const databaseUrl = await createDatabase();
  instance = await Instance.start({
    DATABASE_URL: databaseUrl,
    DATABASE_POOL: '2',
    DATABASE_QUEUE: '5',
    SEED_USERS: '50',
  });
  stranger = new pg.Client({ connectionString: databaseUrl });
  await stranger.connect();
});

afterAll(async () => {
  await stranger.end();
  await instance.process.stop();
});

it('refuses the misses that would wait too long, and stays ready', async () => {
  const hit = '/users?region=EU';
  await eventually(async () => expect((await instance.get(hit)).cache).toBe('hit'));
  await stranger.query('BEGIN');
  await stranger.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');

  const misses = Array.from({ length: 20 }, (_, id) => instance.get(`/users/${id + 1}`));
  const refusedEarly = await firstOf(misses, misses.length - SERVED);

  expect(refusedEarly.map(({ status }) => status)).toEqual(refusedEarly.map(() => 503));
  expect(refusedEarly[0]?.headers['retry-after']).toBe('1');
  expect(refusedEarly[0]?.json).toMatchObject({ type: 'urn:tidemark:problem:database-busy' });
  expect((await instance.get(hit)).cache).toBe('hit');
  expect((await instance.get('/health/ready')).status).toBe(200);
  await stranger.query('ROLLBACK');
  const statuses = (await Promise.all(misses)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(SERVED);
});

/** The first to be settled, of those that are under way. */
function firstOf<T>(work: readonly Promise<T>[], count: number): Promise<T[]> {
  const settled: T[] = [];
  return new Promise((resolve, reject) => {
    for (const one of work) {
      one.then((value) => {
        if (settled.push(value) === count) resolve([...settled]);
      }, reject);
    }
  });
}
