/**
 * Real: PostgreSQL. A fill that bypasses TypeORM gives the entities that TypeORM gives, and only queries of plain
 * columns or plain rows bypass it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect } from 'node:util';
import {
  DataSource,
  SelectQueryBuilder,
  type EntitySubscriberInterface,
  type ObjectLiteral,
} from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { compileQuery } from '../../src/typeorm/queries/compiled-query.js';
import { directReadOf, FOLLOWS_WRITES_ALONE } from '../../src/typeorm/queries/direct-read.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import {
  Thing,
  Pair,
  Note,
  Owner,
  Pet,
  Loud,
  Shape,
  Circle,
  Seen,
} from './fixtures/things.entities.js';

let source: DataSource;

beforeAll(async () => {
  source = await new DataSource({
    type: 'postgres',
    url: await createDatabase(),
    entities: [Thing, Pair, Note, Owner, Pet, Loud, Shape, Circle, Seen],
    synchronize: true,
  }).initialize();
  const things = source.getRepository(Thing);
  for (const id of ['1', '2', '3']) {
    await things.insert({
      id,
      name: `thing ${id}`,
      seenAt: new Date('2026-01-02T03:04:05.678Z'),
      day: '2026-02-03',
      hour: '04:05:06',
      count: 7,
      isNew: id === '1',
      price: '12.50000',
      picture: Buffer.from([1, 2, 255]),
      notes: { deep: [1, null, 'é'] },
      tags: ['a', 'b,c'],
      mood: 'glad',
      colours: ['red', 'a "b"'],
      list: ['x', 'y'],
      document: { k: 'v' },
      boxed: 5,
      secret: 'hidden',
      remark: id === '2' ? null : 'seen',
      size: { width: 3, unit: id === '3' ? null : 'cm' },
      deletedAt: id === '3' ? new Date('2026-03-04T00:00:00Z') : null,
    });
  }
  await source.getRepository(Pair).insert([
    { left: 'a', right: 1, note: null },
    { left: 'a', right: 2, note: 'n' },
  ]);
  await source.getRepository(Note).insert([
    { left: 'a', right: 1, note: null, isRead: true },
    { left: 'b', right: 2, note: 'n', isRead: false },
  ]);
  await source.getRepository(Owner).insert([{ id: 1 }, { id: 2 }]);
});

afterAll(() => source.destroy());

type Builder = SelectQueryBuilder<ObjectLiteral>;

const things = (): Builder => source.getRepository(Thing).createQueryBuilder('t').orderBy('t.id');
const plain = (): Builder => things().select(['t.id', 't.name', 't.price', 't.remark']);
const of = (entity: new () => ObjectLiteral, alias: string): Builder =>
  source.getRepository(entity).createQueryBuilder(alias);
const direct = (builder: Builder) => {
  const query = defineQuery({ name: 'read', build: () => builder }).bind();
  return directReadOf(compileQuery(query, source), source);
};

describe('the entities of TypeORM', () => {
  it.each<[string, () => Builder]>([
    ['of plain columns', plain],
    ['with those that are deleted', () => plain().withDeleted()],
    ['without their key', () => things().select(['t.remark'])],
    ['with a column that is not selected as a rule', () => plain().addSelect('t.secret')],
    ['with one that is of nothing', () => plain().addSelect('1 + 1', 'two')],
    ['with a column under another name', () => plain().addSelect('t.name', 'alias')],
    ['of a page', () => plain().skip(1).take(1)],
    ['none', () => plain().where('false')],
    ['whose columns are all plain', () => of(Note, 'n').orderBy('n.left')],
    ['once, however often a row comes', () => of(Owner, 'o').addFrom(Pair, 'p').addOrderBy('o.id')],
    ['by a key of two columns', () => of(Note, 'n').addFrom(Owner, 'o').orderBy('n.right')],
    ['of nothing but NULL', () => of(Note, 'n').select('n.note').orderBy('n.left')],
    ['with relations that are not read', () => of(Owner, 'o').orderBy('o.id')],
  ])('%s', async (_, make) => {
    const read = direct(make());
    if (!read) throw new Error('TypeORM was not bypassed.');
    const runner = source.createQueryRunner();
    const rows = await read(runner, await runner.connect());
    await runner.release();
    const expected = await make().getMany();
    expect(rows).toEqual(expected);
    expect(inspect(rows, { depth: 9 })).toBe(inspect(expected, { depth: 9 }));
  });
});

describe('left to TypeORM', () => {
  it.each<[string, () => Builder]>([
    ['columns of every type', things],
    ['a time', () => plain().addSelect('t.seenAt')],
    ['a list', () => plain().addSelect('t.tags')],
    ['a transformed column', () => plain().addSelect('t.boxed')],
    ['an embedded column', () => plain().addSelect('t.size.unit')],
    ['a computed column', () => plain().addSelect('t.shout')],
    ['a number that TypeORM reads', () => plain().addSelect('t.count')],
    ['a key that TypeORM reads', () => of(Pair, 'p').select('p.note')],
    ['joined relations', () => of(Owner, 'o').leftJoinAndSelect('o.pets', 'p')],
    ['ids of relations', () => of(Owner, 'o').loadRelationIdAndMap('o.petIds', 'o.pets')],
    ['declared ids of relations', () => of(Pet, 'p')],
    ['an entity with a load listener', () => of(Loud, 'l')],
    ['one of several classes', () => of(Shape, 's')],
    ['a class of several', () => of(Circle, 'c')],
    ['a view', () => of(Seen, 's')],
    ['plain objects', () => plain().setOption('create-pojo')],
    ['a builder that runs otherwise', () => Object.assign(plain(), { getMany: () => [] })],
    ['names that are too long', () => of(Note, 'p'.repeat(60))],
  ])('%s', (_, make) => {
    expect(direct(make())).toBeUndefined();
  });

  it.each<[string, EntitySubscriberInterface, boolean]>([
    ['to statements', { beforeQuery: () => undefined }, false],
    ['to answers', { afterQuery: () => undefined }, false],
    ['to entities', { afterLoad: () => undefined }, false],
    ['to writes', { afterInsert: () => undefined }, true],
    [
      'to writes alone',
      Object.assign({ beforeQuery: () => undefined }, { [FOLLOWS_WRITES_ALONE]: true }),
      true,
    ],
  ])('a subscriber: %s', (_, subscriber, isDirect) => {
    source.subscribers.push(subscriber);
    try {
      expect(direct(plain()) !== undefined).toBe(isDirect);
    } finally {
      source.subscribers.pop();
    }
  });
});
