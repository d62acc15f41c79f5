/** The built service, whose misses all wait for one lock in the database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from 'node:net';
import pg from 'pg';
import { eventually } from '../support/eventually.js';
import { createDatabase } from '../support/shared-postgres.js';
import { Instance } from './support/instance.js';

/** Of the pool and of its queue together. */
const SERVED = 7;

let instance: Instance;
let otherClient: pg.Client;

beforeAll(async () => {
  const databaseUrl = await createDatabase();
  instance = await Instance.start({
    DATABASE_URL: databaseUrl,
    DATABASE_POOL: '2',
    DATABASE_QUEUE: '5',
    SEED_USERS: '50',
  });
  otherClient = new pg.Client({ connectionString: databaseUrl });
  await otherClient.connect();
});

afterAll(async () => {
  await otherClient.end();
  await instance.process.stop();
});

it('refuses the misses that would wait too long, and stays ready', async () => {
  const hit = '/users?region=EU';
  await eventually(async () => expect((await instance.get(hit)).cache).toBe('hit'));
  await otherClient.query('BEGIN');
  await otherClient.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');

  const misses = Array.from({ length: 20 }, (_, id) => instance.get(`/users/${id + 1}`));
  const refusedEarly = await firstOf(misses, misses.length - SERVED);

  expect(refusedEarly.map(({ status }) => status)).toEqual(refusedEarly.map(() => 503));
  expect(refusedEarly[0]?.headers['retry-after']).toBe('1');
  expect(refusedEarly[0]?.json).toMatchObject({ type: 'urn:tidemark:problem:database-busy' });
  expect((await instance.get(hit)).cache).toBe('hit');
  const ready = await instance.get('/health/ready');
  expect(ready.status).toBe(200);
  expect(ready.json).toMatchObject({ details: { database: { status: 'degraded' } } });
  await otherClient.query('ROLLBACK');
  const statuses = (await Promise.all(misses)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(SERVED);
});

it('refuses most of the simultaneous requests before any work for them', async () => {
  const hit = '/users?region=EU';
  await eventually(async () => expect((await instance.get(hit)).cache).toBe('hit'));
  expect(countsOf(await atOnce(hit, 1000))).toEqual({ hits: 1000, refused: 0 });

  await otherClient.query('BEGIN');
  await otherClient.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
  const misses = Array.from({ length: SERVED }, (_, id) => instance.get(`/users/${id + 21}`));
  await eventually(async () => expect(await instance.health()).toBe('degraded'));
  expect(countsOf(await atOnce(hit, 200))).toEqual({ hits: 200, refused: 0 });
  const counts = countsOf(await atOnce(hit, 1000));

  expect(counts.hits).toBeGreaterThanOrEqual(200);
  expect(counts.refused).toBeGreaterThan(0);
  expect(counts.hits + counts.refused).toBe(1000);
  await eventually(() => {
    expect(instance.process.log).toMatch(/Refused \d+ requests in a second/);
    return Promise.resolve();
  });
  await otherClient.query('ROLLBACK');
  await Promise.all(misses);
  expect(countsOf(await atOnce(hit, 1000))).toEqual({ hits: 1000, refused: 0 });
});

function requestOf(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

/** The heads of the answers to requests that arrive together: one client sends them without waiting. */
async function atOnce(path: string, count: number): Promise<readonly string[]> {
  const socket = connect(Number(new URL(instance.process.url).port), '127.0.0.1');
  const last = requestOf(path).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  socket.write(requestOf(path).repeat(count - 1) + last);
  const text = Buffer.concat(await socket.toArray()).toString();
  return text.split(/(?=HTTP\/1\.1 \d)/);
}

function countsOf(answers: readonly string[]): { hits: number; refused: number } {
  const refused = answers.filter(
    (answer) => answer.startsWith('HTTP/1.1 503') && /^retry-after: 1\r$/m.test(answer),
  );
  const hits = answers.filter((answer) => /^cache-status: tidemark; hit;/m.test(answer));
  return { hits: hits.length, refused: refused.length };
}

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
