/**
 * Runs rows of the matrix: each names a way to write and the cached answers that it ends.
 *
 * Before a row every answer of its world is a hit without a statement in the database. After its write exactly the named
 * answers have cost a statement; all answers, ended or kept, equal those of the database without a cache; all become
 * hits again; and the next write is followed too.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { DataSource, type ObjectLiteral } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { CacheTriggers, type BoundQuery, type QueryCacheModuleOptions } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { isLong } from '../../../../test/support/long-tests.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import { itOnTypeorm1 } from '../support/typeorm-line.js';
import { whole, type World } from './fixtures/world.js';

export interface MatrixRow<N extends string> {
  /** Number of the write path in the table of write paths, and the variant of the row. */
  readonly path: string;
  readonly write: (app: CachedApplication) => Promise<unknown>;
  /** The answers that are ended; all others are kept. */
  readonly ends: readonly N[];
  /** Why the row does not hold yet. */
  readonly failing?: string;
  /** What TypeORM 0.3 lacks for it. */
  readonly lacking?: string;
}

export interface MatrixOptions {
  readonly cache?: QueryCacheModuleOptions;
  /** How long an answer may take to become a hit, in milliseconds. */
  readonly patienceMs?: number;
  /** Another way to the database for the application with the cache. */
  readonly through?: (url: URL) => Promise<URL>;
  /** Without triggers on the tables a write ends all answers of the tables that it changes. */
  readonly hasTriggers?: boolean;
}

/** The cache's own statements: they query the catalog, the activity of the server and the outbox. */
const OF_THE_CACHE = /\bpg_\w+|"outbox"|^LISTEN/;

/** A world with the cache in a Redis over it, and beside it the same database without a cache. */
export class Matrix<N extends string> {
  readonly names: readonly N[];
  /** The answers of the database without a cache. */
  readonly #truths = new Map<N, unknown>();

  private constructor(
    private readonly world: World<N>,
    readonly app: CachedApplication,
    private readonly uncached: DataSource,
    private readonly sql: StatementCounter,
    private readonly redis: RedisServer,
    private readonly patienceMs: number | undefined,
    readonly hasTriggers: boolean,
  ) {
    this.names = Object.keys(world.answers) as N[];
  }

  static async open<N extends string>(
    world: World<N>,
    {
      cache = {},
      patienceMs,
      through = (url) => Promise.resolve(url),
      hasTriggers = true,
    }: MatrixOptions = {},
  ): Promise<Matrix<N>> {
    const databaseUrl = await createDatabase();
    const uncached = new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: [...world.entities] as (new () => object)[],
      synchronize: true,
      poolSize: 2,
    });
    await uncached.initialize();
    await uncached.query(world.schema);
    if (hasTriggers) await new CacheTriggers(uncached, 'tidemark').install();
    const { href } = await through(new URL(databaseUrl));
    const redis = await RedisServer.start();
    const app = await CachedApplication.start({
      databaseUrl: href,
      entities: world.entities,
      // So long that a busy machine does not look like an outage of Redis.
      cache: { redis: { url: redis.url, timeoutMs: 10_000 }, ...cache },
    });
    const sql = StatementCounter.attach(app.source);
    return new Matrix(world, app, uncached, sql, redis, patienceMs, hasTriggers);
  }

  async close(): Promise<void> {
    this.sql.detach();
    await this.app.stop();
    await this.uncached.destroy();
    await this.redis.stop();
  }

  /** Restores the rows of the world and lets every answer become a hit. */
  async prepare(): Promise<void> {
    await this.app.source.query(this.world.seed);
    await this.#flushCounts();
    // Together they take fewer round trips than one by one; where one fails, `warm` asks again.
    const { answers } = this.world;
    await Promise.allSettled(this.names.map((name) => this.app.cache.run(answers[name].query)));
    await this.warm();
  }

  /**
   * PostgreSQL counts the changes of a session's last transactions with those of the next, until it has flushed them. The
   * cache then takes a change of the schema for one of the next write.
   */
  async #flushCounts(): Promise<void> {
    const { source } = this.app;
    const { totalCount } = (source.driver as PostgresDriver).master as pg.Pool;
    const runners = Array.from({ length: totalCount }, () => source.createQueryRunner());
    try {
      // All connections of the pool at once, past the hooks.
      const clients = await Promise.all(runners.map((runner) => runner.connect()));
      await Promise.all(
        (clients as pg.PoolClient[]).map((client) =>
          client.query('SELECT pg_catalog.pg_stat_force_next_flush()'),
        ),
      );
    } finally {
      await Promise.all(runners.map((runner) => runner.release()));
    }
  }

  /** Asks for all answers until all of them are hits in one pass: what the start still does may end some once more. */
  async warm(): Promise<void> {
    await eventually(async () => {
      const missed: N[] = [];
      for (const name of this.names) if (!(await this.ask(name)).isHit) missed.push(name);
      if (missed.length > 0) throw new Error(`${missed.join()} does not come from the cache.`);
    }, this.patienceMs);
  }

  /**
   * The answers that were ended, in order of their names. Each was right, ended or not.
   *
   * @param written the answers that a write since the last call may have changed; absent: all.
   */
  async ended(written: readonly N[] = this.names): Promise<N[]> {
    const ended: N[] = [];
    for (const name of this.names) {
      const { isHit, value } = await this.ask(name);
      if (written.includes(name)) this.#truths.set(name, await this.truth(name));
      expectEqual({ name, value }, { name, value: this.#truths.get(name) });
      if (!isHit) ended.push(name);
    }
    return ended;
  }

  /** A hit shows twice: the cache reports it, and the database gets no statement. */
  async ask(name: N): Promise<{ isHit: boolean; value: unknown }> {
    const { query } = this.world.answers[name];
    this.sql.reset();
    const { value, outcomes } = await this.app.observe((): Promise<unknown> =>
      this.app.cache.run(query),
    );
    const sent = this.sql.statements.filter((text) => !OF_THE_CACHE.test(text));
    const isHit = outcomes.length === 1 && outcomes[0] === 'hit';
    expectEqual(
      { name, isHit, sent },
      {
        name,
        isHit,
        sent: isHit ? [] : expect.arrayContaining([expect.stringMatching(/^SELECT/)]),
      },
    );
    return { isHit, value };
  }

  /** The answers of these, as far as they belong to tables all of whose answers are among them. */
  widened(names: readonly N[]): N[] {
    const { answers } = this.world;
    const tablesOf = (name: N): readonly string[] => [
      ...answers[name].across,
      ...answers[name].within,
    ];
    const tables = new Set(this.names.flatMap(tablesOf));
    const wide = [...tables].flatMap((table) => {
      const all = whole(this.world, table);
      return all.every((name) => names.includes(name)) ? all : [];
    });
    return [...new Set(wide)].toSorted();
  }

  /** The same query without any cache. */
  private truth(name: N): Promise<unknown> {
    return run(this.world.answers[name].query, this.uncached);
  }
}

function expectEqual(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

function run(query: BoundQuery, source: DataSource): Promise<unknown> {
  const builder = query.build(source);
  if (query.shape === 'one') return builder.getOne();
  return query.shape === 'raw' ? builder.getRawMany<ObjectLiteral>() : builder.getMany();
}

/** Carries out one row. */
export async function hold<N extends string>(
  matrix: Matrix<N>,
  { write, ends }: Pick<MatrixRow<N>, 'write' | 'ends'>,
): Promise<void> {
  await matrix.prepare();
  await write(matrix.app);
  const ended = (await matrix.ended()).toSorted();
  const least = [...new Set(ends)].toSorted();
  if (matrix.hasTriggers || least.length === 0) expect(ended).toEqual(least);
  else {
    expect(ended).toEqual(expect.arrayContaining<string>(least));
    expect(ended).toEqual(matrix.widened(ended));
  }
  await matrix.warm();
  await matrix.app.source.query('UPDATE bystanders SET beats = beats + 1 WHERE id = 1');
  const theirs = matrix.names.filter((name) => name.startsWith('bystander'));
  expect((await matrix.ended(theirs)).toSorted()).toEqual(['bystander 1', 'bystanders']);
}

/** The same rows on tables with triggers and, in `npm test` one of each write path, on tables without. */
export function describeMatrix<N extends string>(
  title: string,
  world: World<N>,
  rows: readonly MatrixRow<N>[],
  options: MatrixOptions = {},
): void {
  const pathOf = ({ path }: MatrixRow<N>): string => path.split(' ')[0] ?? '';
  const some = rows.filter(
    (row, index) => isLong || rows.findIndex((other) => pathOf(other) === pathOf(row)) === index,
  );
  describeRows(title, world, rows, options);
  describeRows(`${title}, without triggers`, world, some, {
    ...options,
    hasTriggers: false,
  });
}

function describeRows<N extends string>(
  title: string,
  world: World<N>,
  rows: readonly MatrixRow<N>[],
  options: MatrixOptions,
): void {
  describe(`the matrix: ${title}`, () => {
    let matrix: Matrix<N>;
    beforeAll(async () => {
      matrix = await Matrix.open(world, options);
    });
    afterAll(() => matrix.close());

    for (const row of rows) {
      const ordinary = row.lacking === undefined ? it : itOnTypeorm1;
      const test = row.failing === undefined ? ordinary : it.fails;
      test(`path ${row.path}`, () => hold(matrix, row));
    }
  });
}
