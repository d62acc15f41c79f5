/**
 * Real: PostgreSQL. Pages of joined rows and pages with their count are read by two statements in one snapshot: writes
 * between them do not show.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';
import { Author, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    LIBRARY,
    [
      `INSERT INTO authors (id, name, region) SELECT n, 'a' || n, 'US' FROM generate_series(1, 5) n`,
      `INSERT INTO books (id, title, "authorId")
       SELECT n, 'b' || n, (n - 1) / 2 + 1 FROM generate_series(1, 10) n`,
    ],
    {},
    { invalidation: { triggers: 'install' } },
  );
});

afterAll(() => reads.stop());

interface Client {
  query: (this: Client, ...sent: unknown[]) => Promise<unknown>;
}

const page = defineQuery({
  name: 'authors.page',
  build: (source: DataSource, { size }: { size: number }) =>
    source
      .getRepository(Author)
      .createQueryBuilder('a')
      .leftJoinAndSelect('a.books', 'b')
      .where('a.region = :region', { region: 'US' })
      .orderBy('a.id')
      .take(size),
  map: ({ id, name, books }: Author) =>
    `${id} ${name}: ${books
      .map(({ title }) => title)
      .toSorted()
      .join()}`,
});

const counted = defineQuery({
  name: 'authors.counted',
  shape: 'many-and-count',
  build: (source: DataSource, { region }: { region: string }) =>
    source
      .getRepository(Author)
      .createQueryBuilder('a')
      .where('a.region = :region', { region })
      .orderBy('a.id')
      .take(2),
  map: ({ id }: Author) => id,
});

it('caches a page of joined rows until a write to its region or its books', async () => {
  const two = () => page.bind({ size: 2 });
  expect(await reads.warm(two)).toEqual(['1 a1: b1,b2', '2 a2: b3,b4']);
  await reads.write("INSERT INTO authors (id, name, region) VALUES (9, 'i', 'EU')");
  await reads.expectHit(two, ['1 a1: b1,b2', '2 a2: b3,b4']);
  await reads.write("UPDATE authors SET name = 'A1' WHERE id = 1");
  await reads.expectAnew(two, ['1 A1: b1,b2', '2 a2: b3,b4']);
  await reads.warm(two);
  await reads.write('UPDATE books SET "authorId" = 3 WHERE id = 4');
  await reads.expectAnew(two, ['1 A1: b1,b2', '2 a2: b3']);
});

it('caches a page with its count', async () => {
  const us = () => counted.bind({ region: 'US' });
  expect(await reads.warm(us)).toEqual([[1, 2], 5]);
  await reads.write("INSERT INTO authors (id, name, region) VALUES (8, 'h', 'EU')");
  await reads.expectHit(us, [[1, 2], 5]);
  await reads.write("UPDATE authors SET region = 'EU' WHERE id = 5");
  await reads.expectAnew(us, [[1, 2], 4]);
  expect(await reads.warm(() => counted.bind({ region: 'NZ' }))).toEqual([[], 0]);
  await reads.write("UPDATE authors SET region = 'NZ' WHERE id = 8");
  await reads.expectAnew(() => counted.bind({ region: 'NZ' }), [[8], 1]);
});

it('is never torn by a write between its statements', async () => {
  const outside = new pg.Client({
    connectionString: (reads.app.source.options as { url: string }).url,
  });
  await outside.connect();
  let moved = 0;
  const runner = reads.app.source.createQueryRunner();
  const { prototype } = (await runner.connect()).constructor as { prototype: Client };
  await runner.release();
  const send = prototype.query;
  // After the statement that finds the ids, all of their rows move away.
  prototype.query = async function (...sent) {
    const result = await send.apply(this, sent);
    if (String(sent[0]).startsWith('SELECT DISTINCT')) {
      moved += 1;
      await outside.query("UPDATE authors SET region = 'EU', name = 'gone'");
    }
    return result;
  };
  try {
    const { value } = await reads.read(page.bind({ size: 3 }));
    expect(moved).toBe(1);
    expect(value).toEqual(['1 A1: b1,b2', '2 a2: b3', '3 a3: b4,b5,b6']);
  } finally {
    prototype.query = send;
    await outside.end();
  }
});
