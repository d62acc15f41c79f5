/**
 * Real: PostgreSQL, HTTP, typeorm-transactional, nestjs-cls. A query inside a transaction that its caller does not pass
 * on, but that the builder finds in the asynchronous context, sees that transaction.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TransactionHost } from '@nestjs-cls/transactional';
import type { TransactionalAdapterTypeOrm } from '@nestjs-cls/transactional-adapter-typeorm';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import {
  addTransactionalDataSource,
  initializeTransactionalContext,
  IsolationLevel,
  runInTransaction,
  StorageDriver,
} from 'typeorm-transactional';
import { defineQuery, findQuery, sqlQuery, type BoundQuery } from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { AmbientApplication, Note, type Seen } from './fixtures/ambient-application.js';

let app: AmbientApplication;
let source: DataSource;
let host: TransactionHost<TransactionalAdapterTypeOrm>;
/** Runs its argument in another context, as another request would: in no transaction. */
let elsewhere: <T>(work: () => Promise<T>) => Promise<T>;
let built: number;

const rawRunner = new AsyncLocalStorage<QueryRunner>();

/** One note, whose text every transaction here changes from `a` to `b`. */
const noteOf = (name: string, managerOf: (given: DataSource) => EntityManager) =>
  defineQuery({
    name,
    shape: 'one',
    build: (given, { id }: { id: number }) => {
      built += 1;
      return managerOf(given)
        .getRepository(Note)
        .createQueryBuilder('n')
        .where('n.id = :id', { id });
    },
    map: ({ text }) => text,
  });

const fromSource = noteOf('from-source', (given) => given.manager);
const fromHost = noteOf('from-host', () => host.tx);
const runnerOr = (given: DataSource): EntityManager =>
  rawRunner.getStore()?.manager ?? given.manager;
const fromIdleRunner = noteOf('from-idle-runner', runnerOr);
const fromRunner = noteOf('from-runner', runnerOr);

interface Way {
  readonly query: ReturnType<typeof noteOf>;
  /** Opens the transaction, runs the work in it and commits. */
  readonly open: <T>(work: (manager: EntityManager) => Promise<T>) => Promise<T>;
  readonly detail?: string;
}

const ways: Readonly<Record<string, Way>> = {
  'typeorm-transactional': {
    query: fromSource,
    open: (work) => runInTransaction(() => work(source.manager)),
  },
  'typeorm-transactional at REPEATABLE READ': {
    query: fromSource,
    open: (work) =>
      runInTransaction(() => work(source.manager), {
        isolationLevel: IsolationLevel.REPEATABLE_READ,
      }),
  },
  '@nestjs-cls/transactional': {
    query: fromHost,
    open: (work) => host.withTransaction(() => work(host.tx)),
  },
  'a query runner in AsyncLocalStorage and START TRANSACTION as text': {
    query: fromRunner,
    detail: 'query-runner',
    open: async (work) => {
      const runner = source.createQueryRunner();
      try {
        await runner.query('START TRANSACTION');
        const value = await rawRunner.run(runner, () => work(runner.manager));
        await runner.query('COMMIT');
        return value;
      } catch (error) {
        await runner.query('ROLLBACK');
        throw error;
      } finally {
        await runner.release();
      }
    },
  },
};

beforeAll(async () => {
  initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE });
  app = await AmbientApplication.start((id) => fromSource.bind({ id }));
  source = addTransactionalDataSource(app.source);
  host = app.provider(TransactionHost<TransactionalAdapterTypeOrm>);
  const outside = new AsyncResource('outside');
  elsewhere = (work) => outside.runInAsyncScope(work);
});

afterAll(() => app.stop());

beforeEach(async () => {
  built = 0;
  await source.query('TRUNCATE notes');
  await source.query(`INSERT INTO notes VALUES (1, 'a')`);
});

const write = (manager: EntityManager, text = 'b'): Promise<unknown> =>
  manager.update(Note, 1, { text });

const read = (query: BoundQuery): Promise<Seen> => app.read(query);

/** Reads until the plan is remembered: a hit builds nothing, or is one that always builds. */
async function remember(query: BoundQuery, builds = 0): Promise<void> {
  const seen = await eventually(async () => {
    built = 0;
    const answer = await elsewhere(() => read(query));
    // The catalog may be looked at in between, and the plan made once more.
    if (answer.outcome !== 'hit' || built !== builds) throw new Error('It is not remembered yet.');
    return answer;
  });
  expect(seen).toEqual({ value: 'a', outcome: 'hit', selects: 0 });
}

describe.each(Object.entries(ways))('in a transaction by %s', (_, way) => {
  const { detail = 'transaction' } = way;
  const query = (): BoundQuery => way.query.bind({ id: 1 });

  it("a remembered query sees the transaction's writes, and other requests do not", async () => {
    await remember(query());
    await way.open(async (manager) => {
      await write(manager);
      expect(await read(query())).toEqual({ value: 'b', outcome: detail, selects: 1 });
      const other = await elsewhere(() => read(query()));
      expect(other).toEqual({ value: 'a', outcome: 'hit', selects: 0 });
      expect(await read(query())).toMatchObject({ value: 'b', outcome: detail });
    });
    expect(await read(query())).toMatchObject({ value: 'b', selects: 1 });
  });

  it('a first run remembers no plan and stores nothing', async () => {
    await expect(
      way.open(async (manager) => {
        await write(manager);
        for (let times = 0; times < 4; times += 1) {
          expect(await read(query())).toMatchObject({ value: 'b', outcome: detail });
        }
        throw new Error('roll back');
      }),
    ).rejects.toThrow('roll back');
    expect(await read(query())).toEqual({ value: 'a', outcome: 'miss', selects: 1 });
  });

  it('a query shares no fill with a query outside the transaction', async () => {
    await remember(query());
    await source.query(`UPDATE notes SET text = 'a' WHERE id = 1`);
    await way.open(async (manager) => {
      await write(manager);
      const answers = await Promise.all(
        [elsewhere, inside, elsewhere, inside].map((place) => place(() => app.run(query()))),
      );
      expect(answers).toEqual(['a', 'b', 'a', 'b']);
    });
  });
});

const inside = <T>(work: () => Promise<T>): Promise<T> => work();

describe('queries without a builder of the caller, in a transaction by typeorm-transactional', () => {
  const found = defineQuery({
    name: 'found-note',
    shape: 'one',
    entity: Note,
    find: ({ id }: { id: number }) => ({ where: { id } }),
    map: ({ text }) => text,
    answer: (text) => [{ text }],
  });
  const text = defineQuery({
    name: 'text-note',
    sql: 'SELECT text FROM "notes" WHERE id = $1',
    parameters: ({ id }: { id: number }) => [id],
  });
  it.each<[string, () => BoundQuery]>([
    ['find options', () => found.bind({ id: 1 })],
    ['SQL text', () => text.bind({ id: 1 })],
    ['inline find options', () => findQuery(Note, { select: { text: true }, where: { id: 1 } })],
    ['inline SQL text', () => sqlQuery('SELECT text FROM "notes"')],
  ])('%s: see its writes', async (_, query) => {
    await eventually(async () => {
      expect(await read(query())).toEqual({ value: [{ text: 'a' }], outcome: 'hit', selects: 0 });
    });
    await runInTransaction(async () => {
      await write(source.manager);
      const own = { value: [{ text: 'b' }], outcome: 'transaction', selects: 1 };
      expect(await read(query())).toEqual(own);
      const other = { value: [{ text: 'a' }], outcome: 'hit', selects: 0 };
      expect(await elsewhere(() => read(query()))).toEqual(other);
    });
    expect(await read(query())).toMatchObject({ value: [{ text: 'b' }], selects: 1 });
  });
});

describe('with a query runner of the context that is in no transaction', () => {
  it('a query runs over it, and has no remembered plan any more', async () => {
    const query = (): BoundQuery => fromIdleRunner.bind({ id: 1 });
    const runner = source.createQueryRunner();
    const inContext = (): Promise<Seen> => rawRunner.run(runner, () => read(query()));
    try {
      await runner.query('SET search_path TO other');
      await expect(inContext()).rejects.toThrow(/relation .* does not exist/);
      await remember(query(), 1);
      await expect(inContext()).rejects.toThrow(/relation .* does not exist/);
    } finally {
      await runner.query('RESET search_path');
      await runner.release();
    }
  });
});

describe('a handler that returns a query', () => {
  it('answers outside the transaction that an interceptor has opened around it', async () => {
    const get = (path: string): Promise<unknown> => app.get(path);
    for (let times = 0; times < 4; times += 1) await get('/notes/1');
    expect(await get('/notes/1')).toMatchObject({
      body: 'a',
      cache: expect.stringContaining('hit'),
    });
    expect(await get('/notes/1?write=b')).toEqual({
      body: 'b',
      cache: 'tidemark; fwd=bypass; detail=transaction',
    });
  });
});

describe('a hit', () => {
  const query = (): BoundQuery => fromSource.bind({ id: 1 });

  it('builds its query only while the application has a transaction open', async () => {
    await remember(query());
    await source.transaction(async (manager) => {
      await write(manager, 'a');
      await manager.transaction(async () => {
        expect(await elsewhere(() => read(query()))).toMatchObject({ outcome: 'hit' });
      });
      expect(built).toBe(1);
    });
    await remember(query());
    await source.transaction(() => source.query('SELECT 1'));
    await remember(query());
  });

  it('builds nothing more when a connection was lost in a transaction', async () => {
    await remember(query());
    const lost = source.transaction(async (manager) => {
      const [{ pid }] = await manager.query('SELECT pg_backend_pid() AS pid');
      expect(await elsewhere(() => read(query()))).toMatchObject({ outcome: 'hit' });
      expect(built).toBe(1);
      await elsewhere(() => source.query('SELECT pg_terminate_backend($1)', [pid]));
      await manager.query('SELECT 1');
    });
    await expect(lost).rejects.toThrow(/terminat|connection/i);
    await remember(query());
  });

  it('builds nothing on account of single writes, which have transactions of the cache', async () => {
    await remember(query());
    const otherClient = await app.otherClient();
    await otherClient.query('BEGIN; SELECT 1 FROM notes WHERE id = 1 FOR UPDATE');
    const writing = source.query(`UPDATE notes SET text = 'b' WHERE id = 1`);
    await app.waitingForLock();
    expect(await read(query())).toMatchObject({ value: 'a', outcome: 'hit' });
    expect(built).toBe(0);
    await otherClient.query('COMMIT');
    await otherClient.end();
    await writing;
    expect(await read(query())).toMatchObject({ value: 'b' });
  });
});
