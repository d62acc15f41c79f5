/**
 * Real: PostgreSQL. Two queries of one SQL text whose rows become different objects are two
 * answers.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  AfterLoad,
  Column,
  DeleteDateColumn,
  Entity,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  PrimaryColumn,
  type ObjectLiteral,
  type Relation,
  type SelectQueryBuilder,
} from 'typeorm';
import { itOnTypeorm1 } from '../support/typeorm-line.js';
import { CachedReads } from './cached-reads.js';

@Entity('countries')
class Country {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;

  shout?: string;

  @AfterLoad()
  load(): void {
    this.shout = `${this.name}!`;
  }
}

/** The same table under other names. */
@Entity({ name: 'countries', synchronize: false })
class Land {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text', name: 'name' })
  title: string;
}

@Entity('topics')
class Topic {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @DeleteDateColumn({ type: 'timestamptz', nullable: true })
  deletedAt: Date | null;
}

@Entity('authors')
class Author {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'integer' })
  countryId: number;

  @ManyToOne(() => Country)
  @JoinColumn({ name: 'countryId' })
  country: Relation<Country>;

  @ManyToOne(() => Country, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'countryId' })
  homeland: Relation<Country>;

  @ManyToMany(() => Topic)
  @JoinTable({ name: 'authors_topics' })
  topics: Relation<Topic>[];

  topicIds?: number[];
}

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start(
    [Author, Country, Land, Topic],
    [
      "INSERT INTO countries VALUES (1, 'NZ')",
      'INSERT INTO topics VALUES (1, NULL), (2, now())',
      'INSERT INTO authors VALUES (1, 1)',
      'INSERT INTO authors_topics VALUES (1, 1), (1, 2)',
    ],
  );
});

afterAll(() => reads.stop());

type Query = SelectQueryBuilder<ObjectLiteral>;

const ON = 'c.id=a.countryId';
const authors = (): SelectQueryBuilder<Author> =>
  reads.app.source.getRepository(Author).createQueryBuilder('a');
const countries = (): SelectQueryBuilder<Country> =>
  reads.app.source.getRepository(Country).createQueryBuilder('c');
const withIds = (query: SelectQueryBuilder<Author>): Query =>
  query.loadRelationIdAndMap('a.topicIds', 'a.topics');

async function expectTwoAnswers(one: () => Query, two: () => Query): Promise<void> {
  expect(two().getQuery()).toBe(one().getQuery());
  const answers = [await one().getMany(), await two().getMany()];
  expect(answers[1]).not.toEqual(answers[0]);

  expect([await reads.warm(one), await reads.warm(two)]).toEqual(answers);
}

it.each([
  [
    'a relation joined, and its table',
    () => authors().leftJoinAndSelect('a.country', 'c'),
    () => authors().leftJoinAndSelect(Country, 'c', ON),
  ],
  [
    'two relations over one column',
    () => authors().leftJoinAndSelect('a.country', 'c'),
    () => authors().leftJoinAndSelect('a.homeland', 'c'),
  ],
  [
    'two entities over one table',
    () => authors().leftJoinAndMapOne('a.place', Country, 'c', 'c.id = a.countryId'),
    () => authors().leftJoinAndMapOne('a.place', Land, 'c', 'c.id = a.countryId'),
  ],
  [
    'one property and another',
    () => authors().leftJoinAndMapOne('a.place', Country, 'c', 'c.id = a.countryId'),
    () => authors().leftJoinAndMapOne('a.home', Country, 'c', 'c.id = a.countryId'),
  ],
  ['listeners called or not', () => countries(), () => countries().callListeners(false)],
] satisfies [string, () => Query, () => Query][])('%s', (_what, one, two) =>
  expectTwoAnswers(one, two),
);

itOnTypeorm1('ids of relations with or without deleted rows', () =>
  expectTwoAnswers(
    () => withIds(authors()),
    () => withIds(authors().withDeleted()),
  ),
);
