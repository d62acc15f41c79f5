/**
 * Real: PostgreSQL. The functions of a definition are part of a key by its name and their texts, so definitions
 * that cannot be distinguished are refused.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { defineQuery, type DefinedQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';
import { Country, LIBRARY } from './fixtures/library.entities.js';

type Query = DefinedQuery<object, unknown[]>;

let reads: CachedReads | undefined;

afterEach(async () => {
  await reads?.stop();
  reads = undefined;
});

const start = async (): Promise<CachedReads> => {
  reads = await CachedReads.start(LIBRARY, ["INSERT INTO countries VALUES (1, 'secret')"]);
  return reads;
};

const mapping = (name: string, fields: (keyof Country)[]): Query =>
  defineQuery({
    name,
    build: (source, _: object) => source.getRepository(Country).createQueryBuilder('c'),
    map: (row: Country) => Object.fromEntries(fields.map((field) => [field, row[field]])),
  });
const linking = (name: string, link: string): Query =>
  defineQuery({
    name,
    build: (source, _: object) => source.getRepository(Country).createQueryBuilder('c'),
    headers: () => ({ link }),
  });

describe('two definitions of one name whose functions have equal texts', () => {
  it.each([
    ['map', () => [mapping('twice', ['id', 'name']), mapping('twice', ['id'])]],
    ['headers', () => [linking('linked twice', 'a'), linking('linked twice', 'b')]],
  ])('%s: the application does not start, and neither is ever answered', async (_, define) => {
    const both = define();
    await expect(start()).rejects.toThrow('twice');
    const { app } = await start();
    for (const query of both) {
      await expect(app.cache.run(query.bind({}))).rejects.toThrow('twice');
    }
  });

  it('created while the application runs: the second one is refused', async () => {
    const { app } = await start();
    const whole = mapping('later', ['id', 'name']);
    expect(await app.cache.run(whole.bind({}))).toEqual([{ id: 1, name: 'secret' }]);
    await expect(app.cache.run(mapping('later', ['id']).bind({}))).rejects.toThrow('later');
  });
});

it('distinguishable definitions have separate answers', async () => {
  const queries = [
    mapping('public', ['id']),
    mapping('internal', ['id', 'name']),
    defineQuery({
      name: 'public',
      build: (source, _: object) => source.getRepository(Country).createQueryBuilder('c'),
      map: ({ name }: Country) => name,
    }),
  ];
  const running = await start();
  const answers = [[{ id: 1 }], [{ id: 1, name: 'secret' }], ['secret']];
  for (const [index, query] of queries.entries()) {
    expect(await running.warm(() => query.bind({}))).toEqual(answers[index]);
  }
});

it('two applications of one process share the definitions of their modules', async () => {
  const query = mapping('shared', ['id']);
  const first = await start();
  const second = await start();
  try {
    for (const { app } of [first, second]) {
      expect(await app.cache.run(query.bind({}))).toEqual([{ id: 1 }]);
    }
  } finally {
    await first.stop();
  }
});
