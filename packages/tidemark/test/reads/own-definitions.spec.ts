/**
 * Real: PostgreSQL. Casts, defaults and operators that users define: their reads of tables and of the clock are in no
 * syntax tree, so queries that may use them are not cached.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { Column, Entity, PrimaryColumn, type SelectQueryBuilder } from 'typeorm';
import { CacheRegion, defineQuery, type BoundQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';

@Entity('people')
@CacheRegion<Person>('region', 'mood')
class Person {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  region: string;

  @Column({ type: 'enum', enum: ['sad', 'happy'], enumName: 'mood' })
  mood: string;
}

let reads: CachedReads;

afterEach(() => reads.stop());

async function start(...definitions: string[]): Promise<void> {
  reads = await CachedReads.start(
    [Person],
    [
      "INSERT INTO people VALUES (1, '07', 'sad')",
      'CREATE TABLE ranks (mood mood PRIMARY KEY, rank integer)',
      "INSERT INTO ranks VALUES ('sad', 1)",
      ...definitions,
    ],
  );
}

function select(expression: string, where = 'true', from = 'people'): () => BoundQuery {
  const query = defineQuery({
    name: 'people',
    shape: 'raw',
    build: (source) =>
      source.createQueryBuilder().select(expression, 'x').from(from, 't').where(where),
  });
  return () => query.bind();
}

const people = (where: string, parameters = {}): SelectQueryBuilder<Person> =>
  reads.app.source.getRepository(Person).createQueryBuilder('p').where(where, parameters);

const rankOf = (volatility: string): string =>
  `CREATE FUNCTION rank_of(mood) RETURNS integer ${volatility} LANGUAGE sql
     AS 'SELECT rank FROM ranks WHERE mood::text = $1::text'`;

describe('a cast', () => {
  it.each([
    ['written', '', select('CAST(t.mood AS integer)')],
    ['implicit', 'AS IMPLICIT', select('t.mood + 1')],
  ])('by a stable function, %s', async (_what, context, query) => {
    await start(
      rankOf('STABLE'),
      `CREATE CAST (mood AS integer) WITH FUNCTION rank_of(mood) ${context}`,
    );
    await reads.expectRefused(query, 'volatile-function');
    expect(reads.app.cache.explain(query())).toMatchObject({
      detail: 'the cast mood AS integer is made by a function that is not immutable',
    });
  });

  it('by text, to a type that reads its text by a stable function', async () => {
    await start('CREATE CAST (text AS timetz) WITH INOUT AS IMPLICIT');
    await reads.expectRefused(select('t.id'), 'volatile-function');
  });

  it('by an immutable function is trusted', async () => {
    await start(
      rankOf('IMMUTABLE'),
      'CREATE CAST (mood AS integer) WITH FUNCTION rank_of(mood) AS IMPLICIT',
    );
    await reads.warm(select('t.mood + 1'));
  });

  it('of texts to numbers proves no region', async () => {
    await start('CREATE CAST (text AS integer) WITH INOUT AS IMPLICIT');
    const query = (): SelectQueryBuilder<Person> => people('p.region = 7');
    await reads.warm(query);
    await reads.write("UPDATE people SET mood = 'happy' WHERE id = 1");
    await reads.expectAnew(query, [{ id: 1, region: '07', mood: 'happy' }]);
  });
});

describe('a default argument', () => {
  it.each([
    ['timestamptz', 'now()', false],
    ['date', 'CURRENT_DATE', false],
    ['text', "concat('a', 1)", false],
    ['numeric', '1', true],
    ['text', "'a'", true],
  ])('%s DEFAULT %s: %p', async (type, value, isCached) => {
    await start(
      `CREATE FUNCTION given(n integer, v ${type} DEFAULT ${value}) RETURNS ${type}
         IMMUTABLE LANGUAGE sql AS 'SELECT v'`,
    );
    if (isCached) await reads.warm(select('given(t.id)'));
    else await reads.expectRefused(select('given(t.id)'), 'volatile-function');
  });
});

it('a stable function of rows, called as a column of a subquery, is seen', async () => {
  await start(
    `CREATE FUNCTION age(r record) RETURNS bigint STABLE LANGUAGE plpgsql
       AS 'BEGIN RETURN (SELECT count(*) FROM ranks); END'`,
  );
  const query = select('t.age', 'true', '(SELECT id, mood FROM people)');
  await reads.expectRefused(query, 'volatile-function');
});

describe('an = over enums', () => {
  const equal = (volatility: string, body: string): string[] => [
    `CREATE FUNCTION alike(mood, mood) RETURNS boolean ${volatility} LANGUAGE sql AS '${body}'`,
    'CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = mood, FUNCTION = alike)',
  ];

  it('proves no region', async () => {
    await start(...equal('IMMUTABLE', 'SELECT true'));
    const query = (): SelectQueryBuilder<Person> => people('p.mood = :mood', { mood: 'happy' });
    await reads.expectRefused(query, 'volatile-function');
  });

  it.each([
    ['CASE', "CASE t.mood WHEN 'sad' THEN true ELSE false END"],
    ['USING', 'EXISTS (SELECT FROM people x JOIN ranks y USING (mood))'],
    ['NATURAL', 'EXISTS (SELECT FROM people x NATURAL JOIN ranks y)'],
    ['IN', 't.mood IN (SELECT y.mood FROM ranks y)'],
  ])('is seen in %s', async (_what, where) => {
    await start(...equal('STABLE', 'SELECT EXISTS (SELECT FROM ranks)'));
    await reads.expectRefused(select('t.id', where), 'volatile-function');
  });

  it('of PostgreSQL is trusted, also with a constant of the type', async () => {
    await start("CREATE VIEW gloomy AS SELECT id, region FROM people WHERE mood = 'sad'");
    const gloomy = select('t.id', 'true', 'gloomy');
    await reads.warm(gloomy);
    await reads.write("UPDATE people SET mood = 'happy'");
    await reads.expectAnew(gloomy, []);
    await reads.warm(select('t.id', "t.mood = ANY(CAST('{sad}' AS mood[]))"));
  });

  it('of PostgreSQL is trusted', async () => {
    await start();
    await reads.warm(() => people('p.mood = :mood', { mood: 'sad' }));
    await reads.warm(select('t.id', 't.mood IN (SELECT y.mood FROM ranks y)'));
  });
});
