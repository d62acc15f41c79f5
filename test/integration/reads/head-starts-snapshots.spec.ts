/** Real: PostgreSQL, Redis. Answers of several statements, around writes of another instance. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { defineQuery } from '../../../src/query-cache/index.js';
import { CachedApplication } from '../../support/cached-application.js';
import { isLong } from '../../support/long-tests.js';
import { RedisServer } from '../../support/redis-server.js';
import { createDatabase } from '../../support/shared-postgres.js';
import { Author, LIBRARY } from './fixtures/library.entities.js';

const authors = defineQuery({
  name: 'authors.counted',
  shape: 'many-and-count',
  build: (source, { above }: { above: number }) =>
    source
      .getRepository(Author)
      .createQueryBuilder('a')
      .leftJoinAndSelect('a.books', 'b')
      .where('a.id > :above', { above })
      .orderBy('a.id')
      .take(2),
  map: ({ id, name, books }: Author) => `${id} ${name} ${books.length}`,
});

/** More than prove that a head start is worthwhile. */
const ENOUGH_MISSES = 66;
const ROUNDS = isLong ? 8 : 2;

let server: RedisServer;
let one: CachedApplication;
let two: CachedApplication;

beforeAll(async () => {
  server = await RedisServer.start();
  const databaseUrl = await createDatabase();
  const start = () =>
    CachedApplication.start({
      databaseUrl,
      entities: LIBRARY,
      synchronize: true,
      cache: { redis: { url: server.url } },
    });
  one = await start();
  two = await start();
  await one.source.query(
    `INSERT INTO authors (id, name, region) SELECT n, 'a' || n, 'US' FROM generate_series(1, 5) n`,
  );
  await one.source.query(
    `INSERT INTO books (id, title, "authorId") SELECT n, 'b' || n, (n - 1) / 2 + 1 FROM generate_series(1, 10) n`,
  );
});

afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await server.stop();
});

it.each(['bound', 'plain'])('are of one snapshot, and of the latest: %s queries', async (kind) => {
  let asked = 0;
  const ask = async (above = (asked -= 1)) => {
    const query = authors.bind({ above });
    if (kind === 'bound') return one.cache.run(query);
    const rows = (await one.cache.run(query.build(one.source))) as Author[];
    return [rows.map(({ id, name, books }) => `${id} ${name} ${books.length}`), 5];
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let i = 0; i < ENOUGH_MISSES; i += 1) await ask();
    await two.source.query('UPDATE authors SET name = $1 WHERE id = 1', [`${kind} ${round}`]);
    for (let i = 0; i < 6; i += 1) {
      expect(await ask()).toEqual([[`1 ${kind} ${round} 2`, '2 a2 2'], 5]);
    }
    // What was answered last has been stored.
    const { value, outcomes } = await one.observe(() => ask(asked));
    expect([value, outcomes]).toEqual([[[`1 ${kind} ${round} 2`, '2 a2 2'], 5], ['hit']]);
  }
});
