/** The types of queries and answers: this file compiles only if they are exact. */
import { expect, it } from 'vitest';
import type { DataSource, SelectQueryBuilder } from 'typeorm';
import {
  asQuery,
  countQuery,
  defineQuery,
  existsQuery,
  findAndCountQuery,
  findOneQuery,
  findQuery,
  sqlQuery,
  type Answered,
  type BoundQuery,
  type CachedAnswer,
  type QueryCache,
} from '../../src/index.js';
import { Author } from './fixtures/library.entities.js';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const exactly = <Actual, Expected>(
  ..._: Equal<Actual, Expected> extends true ? [] : [never]
): void => undefined;

interface Summary {
  readonly id: number;
  readonly name: string;
}
interface Row {
  readonly id: number;
}

declare const source: DataSource;
declare const cache: QueryCache;
declare const builder: SelectQueryBuilder<Author>;
const summary = ({ id, name }: Author): Summary => ({ id, name });

/** Never called: the compiler reads it. */
function definitions(): void {
  const built = defineQuery({
    name: 'built',
    build: (from, _: { region: string }) => from.getRepository(Author).createQueryBuilder('a'),
    map: (author) => author.name,
  });
  exactly<typeof built.bind, (parameters: { region: string }) => BoundQuery<string[]>>();

  const found = defineQuery({
    name: 'found',
    entity: Author,
    find: ({ id }: { id: number }) => ({ where: { id }, order: { name: 'ASC' } }),
  });
  exactly<typeof found.bind, (parameters: { id: number }) => BoundQuery<Author[]>>();
  // @ts-expect-error Its parameter is a number.
  found.bind({ id: '1' });

  const one = defineQuery({
    name: 'one',
    shape: 'one',
    entity: Author,
    find: (id: number) => ({ where: { id } }),
    map: (author) => author.name,
    answer: (name) => ({ name }),
  });
  exactly<typeof one.bind, (parameters: number) => BoundQuery<{ name: string | null }>>();

  const page = defineQuery({
    name: 'page',
    shape: 'many-and-count',
    entity: Author,
    find: (skip: number) => ({ skip }),
    map: summary,
    answer: ([items, total]) => ({ items, total }),
  });
  exactly<Answered<ReturnType<typeof page.bind>>, { items: Summary[]; total: number }>();

  const exists = defineQuery({
    name: 'exists',
    shape: 'exists',
    entity: Author,
    find: (name: string) => ({ where: { name } }),
  });
  exactly<Answered<ReturnType<typeof exists.bind>>, boolean>();

  const rows = defineQuery({
    name: 'rows',
    sql: 'SELECT id FROM authors WHERE id = $1',
    parameters: (id: number) => [id],
    map: ({ id }: Row) => id,
  });
  exactly<typeof rows.bind, (parameters: number) => BoundQuery<number[]>>();
  const untyped = defineQuery({ name: 'untyped', sql: 'SELECT 1 AS one' });
  exactly<Answered<ReturnType<typeof untyped.bind>>, Record<string, unknown>[]>();
  untyped.bind();

  // @ts-expect-error The entity has no such property.
  defineQuery({ name: 'column', entity: Author, find: (_: object) => ({ where: { nobody: 1 } }) });
  // @ts-expect-error Rows of SQL have one shape.
  defineQuery({ name: 'shaped', sql: 'SELECT 1', shape: 'one' });
  // @ts-expect-error Find options make entities or numbers, not plain rows.
  defineQuery({ name: 'raw', shape: 'raw', entity: Author, find: (_: object) => ({}) });
}

function inline(): void {
  exactly<ReturnType<typeof findQuery<Author>>, BoundQuery<Author[]>>();
  exactly<ReturnType<typeof findOneQuery<Author>>, BoundQuery<Author | null>>();
  exactly<
    ReturnType<typeof findAndCountQuery<Author>>,
    BoundQuery<[rows: Author[], count: number]>
  >();
  exactly<ReturnType<typeof countQuery<Author>>, BoundQuery<number>>();
  exactly<ReturnType<typeof existsQuery<Author>>, BoundQuery<boolean>>();
  const mapped = findQuery(Author, { where: { id: 1 } }, { map: summary });
  exactly<typeof mapped, BoundQuery<Summary[]>>();
  const rows = sqlQuery<Row>('SELECT 1 AS id');
  exactly<typeof rows, BoundQuery<Row[]>>();
  const one = asQuery(builder, { shape: 'one' });
  exactly<typeof one, BoundQuery<Author | null>>();
  const raw = asQuery<Row>(builder, { shape: 'raw' });
  exactly<typeof raw, BoundQuery<Row[]>>();
  const many = asQuery(builder, { map: summary });
  exactly<typeof many, BoundQuery<Summary[]>>();
  // @ts-expect-error The entity has no such property.
  findQuery(Author, { where: { nobody: 1 } });
  // @ts-expect-error One entity needs a condition.
  findOneQuery(Author);
  // @ts-expect-error There is no such shape.
  asQuery(builder, { shape: 'two' });
}

async function running(): Promise<void> {
  const found = await cache.run(findQuery(Author));
  exactly<typeof found, Author[]>();
  const built = await cache.run(builder);
  exactly<typeof built, Author[]>();
  const either = await cache.run(found.length > 0 ? findQuery(Author) : countQuery(Author));
  exactly<typeof either, Author[] | number>();
  const names = await cache.find(Author, { where: { region: 'US' } }, { map: ({ name }) => name });
  exactly<typeof names, string[]>();
  const one = await cache.findOneBy(Author, { id: 1 });
  exactly<typeof one, Author | null>();
  const rows = await cache.query('SELECT 1 AS id', [], { map: ({ id }: Row) => id });
  exactly<typeof rows, number[]>();
  // @ts-expect-error It is no query.
  await cache.run(source);
}

/** The interface that a controller and its typed client share. */
interface AuthorsApi {
  list(): CachedAnswer<Summary[]>;
  all(): CachedAnswer<Author[]>;
  read(id: number): Promise<CachedAnswer<Author | null>>;
  rename(): Promise<Summary>;
}

class AuthorsController implements AuthorsApi {
  list(): CachedAnswer<Summary[]> {
    return findQuery(Author, {}, { map: summary });
  }

  all(): CachedAnswer<Author[]> {
    return builder;
  }

  async read(id: number): Promise<CachedAnswer<Author | null>> {
    return Promise.resolve(findOneQuery(Author, { where: { id } }));
  }

  wrong(): CachedAnswer<Summary[]> {
    // @ts-expect-error A count is no list.
    return countQuery(Author);
  }

  rename(): Promise<Summary> {
    return Promise.resolve({ id: 1, name: '' });
  }
}

type Client<Api> = {
  [Name in keyof Api]: Api[Name] extends (...sent: infer Sent) => infer Returned
    ? (...sent: Sent) => Promise<Answered<Returned>>
    : never;
};

function client(api: Client<AuthorsApi>): void {
  exactly<typeof api.list, () => Promise<Summary[]>>();
  exactly<typeof api.all, () => Promise<Author[]>>();
  exactly<typeof api.read, (id: number) => Promise<Author | null>>();
  exactly<typeof api.rename, () => Promise<Summary>>();
}

it('types of queries compile', () => {
  expect([definitions, inline, running, client, AuthorsController]).toHaveLength(5);
});
