/**
 * Real: PostgreSQL. A table without a real key: the column declared as primary key may be NULL or repeated. The cache
 * gives the entities that TypeORM makes of such rows.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { CachedReads } from './cached-reads.js';

@Entity('legacy', { synchronize: false })
class Legacy {
  @PrimaryColumn({ type: 'text' })
  code: string;

  @Column({ type: 'text' })
  note: string;
}

@Entity('legacy_pairs', { synchronize: false })
class LegacyPair {
  @PrimaryColumn({ type: 'text' })
  left: string;

  @PrimaryColumn({ type: 'text' })
  right: string;

  @Column({ type: 'text' })
  note: string;

  @ManyToOne(() => Legacy)
  @JoinColumn({ name: 'note', referencedColumnName: 'code' })
  legacy: Relation<Legacy> | null;
}

/** Its key is declared as a text, and is read as something else. */
@Entity('legacy_days', { synchronize: false })
class LegacyDay {
  @PrimaryColumn({ type: 'text' })
  at: unknown;

  @Column({ type: 'text' })
  note: string;
}

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    [Legacy, LegacyPair, LegacyDay],
    [
      'CREATE TABLE legacy (code text, note text)',
      `INSERT INTO legacy VALUES (NULL, '1'), ('', '2'), ('a', '3'), ('A', '4'), ('a ', '5'), ('a', '6'),
         ('1', '7'), ('01', '8'), ('null', '9'), (NULL, '10')`,
      'CREATE TABLE legacy_pairs ("left" text, "right" text, note text)',
      `INSERT INTO legacy_pairs VALUES (NULL, 'a', ''), ('', 'a', 'a'), ('a', NULL, NULL), ('a', '', 'A'),
         (NULL, NULL, '1'), ('', '', '2'), ('a_b', 'c', '3'), ('a', 'b_c', '4')`,
      'CREATE TABLE legacy_days (at timestamptz, note text)',
      `INSERT INTO legacy_days VALUES ('2026-01-01Z', '1'), ('2026-01-01Z', '2'), (NULL, '3'), (NULL, '4')`,
    ],
  );
});

afterAll(() => reads.stop());

it.each([
  ['one column', Legacy, 't.note::int'],
  ['two columns', LegacyPair, 't.note'],
  ['a type that the entity does not declare', LegacyDay, 't.note'],
])('a key of %s', async (_, entity, order) => {
  const make = () =>
    reads.app.source.getRepository<Legacy>(entity).createQueryBuilder('t').orderBy(order);
  const expected = await make().getMany();
  expect((await reads.read(make())).value).toEqual(expected);
  expect(await reads.warm(make)).toEqual(expected);
});

it('a relation whose key is NULL', async () => {
  const make = () =>
    reads.app.source
      .getRepository(LegacyPair)
      .createQueryBuilder('t')
      .leftJoinAndSelect('t.legacy', 'l')
      .orderBy('t.note');
  const expected = await make().getMany();
  expect((await reads.read(make())).value).toEqual(expected);
  expect(await reads.warm(make)).toEqual(expected);
});
