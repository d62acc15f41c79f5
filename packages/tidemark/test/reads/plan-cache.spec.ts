/** Real: PostgreSQL. A hit of a bound query neither builds nor compiles it, and answers the same. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { CachedReads, type Observed } from './cached-reads.js';
import { Country, LIBRARY } from './fixtures/library.entities.js';

let reads: CachedReads;
let built: number;
/** Values that a builder must not use. */
let outside: string;

const named = defineQuery({
  name: 'named',
  shape: 'raw',
  build: (source, { name }: { name: unknown }) => {
    built += 1;
    return source
      .getRepository(Country)
      .createQueryBuilder('c')
      .select('c.id', 'id')
      .where('c.name = :name', { name });
  },
});
const impure = defineQuery({
  name: 'impure',
  shape: 'raw',
  build: (source, _: Record<string, never>) => {
    built += 1;
    return source
      .getRepository(Country)
      .createQueryBuilder('c')
      .select('c.id', 'id')
      .where('c.name = :outside', { outside });
  },
});

beforeEach(async () => {
  built = 0;
  outside = 'NZ';
  const schema = [`INSERT INTO countries VALUES (1, 'NZ'), (2, '7'), (3, 'FJ')`];
  // Verified, a hit would build its query.
  reads = await CachedReads.start(LIBRARY, schema, { verifyPlans: 0 });
});

afterEach(() => reads.stop());

/** The answer, its outcome, and how often the query was built for it. */
async function ask(
  query: BoundQuery,
): Promise<Pick<Observed, 'value' | 'outcome'> & { built: number }> {
  const before = built;
  const { value, outcome } = await reads.read(query);
  return { value, outcome, built: built - before };
}

describe('a plan', () => {
  it('is used from the second compilation on', async () => {
    const query = named.bind({ name: 'NZ' });
    expect(await ask(query)).toEqual({ value: [{ id: 1 }], outcome: 'miss', built: 1 });
    expect(await ask(query)).toEqual({ value: [{ id: 1 }], outcome: 'hit', built: 1 });
    expect(await ask(query)).toEqual({ value: [{ id: 1 }], outcome: 'hit', built: 0 });
    await reads.write(`UPDATE countries SET name = 'NZ' WHERE id = 3`);
    expect(await ask(query)).toEqual({ value: [{ id: 1 }, { id: 3 }], outcome: 'miss', built: 1 });
    // A transaction of the cache itself, such as a check of the triggers, makes a hit build its query too.
    await eventually(async () =>
      expect(await ask(query)).toMatchObject({ outcome: 'hit', built: 0 }),
    );
  });

  it('is also used for the objects of a query string parser', async () => {
    const Parsed = function () {} as unknown as new () => { name: string };
    Parsed.prototype = Object.create(null);
    const parameters = Object.assign(new Parsed(), { name: 'FJ' });
    for (let times = 0; times < 2; times += 1) await ask(named.bind(parameters));
    expect(await ask(named.bind(parameters))).toMatchObject({ outcome: 'hit', built: 0 });
  });

  it('is not used for instances of classes, which get their own rows from the cache', async () => {
    class Filter {
      constructor(readonly name: string) {}
    }
    for (let times = 0; times < 3; times += 1) await ask(named.bind(new Filter('NZ')));
    const again = await ask(named.bind(new Filter('NZ')));
    expect(again).toMatchObject({ value: [{ id: 1 }], outcome: 'hit', built: 1 });
    expect(await ask(named.bind(new Filter('FJ')))).toMatchObject({ value: [{ id: 3 }] });
  });

  it('is not shared by parameters with state beyond their fields', async () => {
    const names = new WeakMap<object, string>();
    class Hidden {
      constructor(name: string) {
        names.set(this, name);
      }
      get name(): string | undefined {
        return names.get(this);
      }
    }
    const made = (name: string): { name: string } =>
      new (class {
        get name(): string {
          return name;
        }
      })();
    for (const make of [(name: string) => new Hidden(name), made]) {
      for (let times = 0; times < 2; times += 1) await ask(named.bind(make('NZ')));
      // A hit, and built again.
      expect(await ask(named.bind(make('NZ')))).toMatchObject({ outcome: 'hit', built: 1 });
      expect(await ask(named.bind(make('FJ')))).toMatchObject({
        value: [{ id: 3 }],
      });
    }
  });

  it('is one for each order of fields, which a query may follow', async () => {
    const sorted = defineQuery({
      name: 'sorted',
      shape: 'raw',
      build: (source, { sort }: { sort: Record<string, 'ASC' | 'DESC'> }) =>
        source.getRepository(Country).createQueryBuilder('c').select('c.id', 'id').orderBy(sort),
    });
    await reads.write(`UPDATE countries SET name = CASE id WHEN 2 THEN 'FJ' ELSE 'NZ' END`);
    const byName = sorted.bind({ sort: { 'c.name': 'ASC', 'c.id': 'DESC' } });
    const byId = sorted.bind({ sort: { 'c.id': 'DESC', 'c.name': 'ASC' } });
    for (let times = 0; times < 3; times += 1) {
      expect((await ask(byName)).value).toEqual([{ id: 2 }, { id: 3 }, { id: 1 }]);
    }
    expect(await ask(byName)).toMatchObject({ outcome: 'hit', built: 0 });
    expect((await ask(byId)).value).toEqual([{ id: 3 }, { id: 2 }, { id: 1 }]);
  });

  it('is not stored under parameters that changed during compilation', async () => {
    for (let times = 0; times < 3; times += 1) {
      const parameters = { name: 'NZ' };
      const first = reads.app.cache.run(named.bind(parameters));
      parameters.name = 'FJ';
      await first;
    }
    expect(await ask(named.bind({ name: 'FJ' }))).toMatchObject({ value: [{ id: 3 }] });
    expect(await ask(named.bind({ name: 'NZ' }))).toMatchObject({ value: [{ id: 1 }] });
  });

  it('is one for each value and type of the parameters', async () => {
    for (const name of ['7', 7, ['7'], null, undefined, 'nobody']) {
      const query = named.bind({ name });
      const truth: unknown = await query
        .build(reads.app.source)
        .getRawMany()
        .catch(() => 'failed');
      for (let times = 0; times < 4; times += 1) {
        const answer: unknown = await reads.read(query).then(
          ({ value }) => value,
          () => 'failed',
        );
        expect({ name, answer }).toEqual({ name, answer: truth });
      }
    }
  });

  it('is compiled again after a change of the schema', async () => {
    const query = named.bind({ name: 'NZ' });
    for (let times = 0; times < 3; times += 1) await ask(query);
    await reads.write('CREATE FUNCTION changes() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$');
    expect((await ask(query)).built).toBe(1);
    await reads.write(`UPDATE countries SET name = 'no' WHERE id = 1`);
    expect((await ask(query)).value).toEqual([]);
  });

  it('is not kept where the builder is not pure', async () => {
    const query = impure.bind({});
    for (let times = 0; times < 3; times += 1) await ask(query);
    outside = 'FJ';
    await reads.write(`UPDATE countries SET name = 'NZ' WHERE id = 2`);
    expect(await ask(query)).toMatchObject({ value: [{ id: 3 }] });
    outside = 'NZ';
    for (let times = 0; times < 3; times += 1) {
      expect(await ask(query)).toMatchObject({ value: [{ id: 1 }, { id: 2 }], built: 1 });
    }
  });

  it('is not kept where the builder differs each time', async () => {
    const query = impure.bind({});
    for (let times = 0; times < 4; times += 1) {
      outside = times % 2 === 0 ? 'NZ' : 'FJ';
      const id = times % 2 === 0 ? 1 : 3;
      expect(await ask(query)).toMatchObject({ value: [{ id }], built: 1 });
    }
  });
});
