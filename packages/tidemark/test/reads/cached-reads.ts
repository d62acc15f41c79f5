/**
 * An application over one database that records its reads: which of them were answered from the cache, and the SQL that
 * they sent.
 */
import { expect } from 'vitest';
import type { EntityTarget, ObjectLiteral } from 'typeorm';
import type { CacheInvalidationModuleOptions, QueryCacheModuleOptions } from '../../src/index.js';
import type { CacheableQuery } from '../../src/typeorm/queries/compiled-query.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';

export interface Observed {
  readonly value: unknown;
  readonly outcome: string | undefined;
  readonly statements: readonly string[];
}

interface DatabaseOptions {
  /** URL of the database; absent: a new one. */
  readonly database?: string;
  readonly invalidation?: CacheInvalidationModuleOptions;
}

export class CachedReads {
  private constructor(
    readonly app: CachedApplication,
    private readonly sql: StatementCounter,
  ) {}

  /** @param schema statements that make what entities do not. */
  static async start(
    entities: readonly EntityTarget<ObjectLiteral>[],
    schema: readonly string[] = [],
    cache: QueryCacheModuleOptions = {},
    { database, invalidation = {} }: DatabaseOptions = {},
  ): Promise<CachedReads> {
    const databaseUrl = database ?? (await createDatabase());
    const app = await CachedApplication.start({
      databaseUrl,
      entities,
      synchronize: true,
      cache,
      invalidation,
    });
    const sql = StatementCounter.attach(app.source);
    for (const statement of schema) await app.source.query(statement);
    return new CachedReads(app, sql);
  }

  /** Over tables that are there already. */
  static async over(databaseUrl: string): Promise<CachedReads> {
    const app = await CachedApplication.start({ databaseUrl, entities: [] });
    return new CachedReads(app, StatementCounter.attach(app.source));
  }

  async stop(): Promise<void> {
    this.sql.detach();
    await this.app.stop();
  }

  /** Runs a statement as any application would. */
  async write(statement: string): Promise<void> {
    await this.app.source.query(statement);
  }

  /** Sends the statement over every connection of the pool, and gives them back. */
  async leaveBehind(statement: string): Promise<void> {
    const runners = Array.from({ length: 5 }, () => this.app.source.createQueryRunner());
    try {
      for (const runner of runners) await runner.connect();
      for (const runner of runners) {
        const client = (await runner.connect()) as { query(sql: string): Promise<unknown> };
        await client.query(statement);
      }
    } finally {
      for (const runner of runners) await runner.release();
    }
  }

  read(query: CacheableQuery): Promise<Observed> {
    return this.watch(() => this.app.cache.run(query));
  }

  /** The outcome and statements of the work, such as one read. */
  async watch(work: () => Promise<unknown>): Promise<Observed> {
    this.sql.reset();
    const { value, outcomes } = await this.app.observe(work);
    return { value, outcome: outcomes[0], statements: [...this.sql.statements] };
  }

  /** Reads until the answer comes from the cache: marks of earlier writes go by themselves. */
  async warm(make: () => CacheableQuery): Promise<unknown> {
    let value: unknown;
    await eventually(async () => {
      const { statements, outcome, value: found } = await this.read(make());
      expectEqual({ outcome, statements }, { outcome: 'hit', statements: [] });
      value = found;
    });
    return value;
  }

  /** The answer is still the stored one. */
  async expectHit(make: () => CacheableQuery, value: unknown): Promise<void> {
    const seen = await this.read(make());
    expectEqual(seen, { value, outcome: 'hit', statements: [] });
  }

  /** The answer was ended by the last write: it comes from the database, and is this. */
  async expectAnew(make: () => CacheableQuery, value: unknown): Promise<void> {
    const seen = await this.read(make());
    expectEqual(seen.value, value);
    expectEqual(
      { isHit: seen.outcome === 'hit', isAsked: seen.statements.length > 0 },
      FROM_DATABASE,
    );
  }

  /** Never stored, for this reason; `refusal` of what was found to be so, else of the plan. */
  async expectRefused(make: () => CacheableQuery, reason: string): Promise<unknown> {
    const reasons: unknown[] = [];
    const { events } = this.app.cache;
    const onBypass = ({ detail }: { detail: string | undefined }): unknown => reasons.push(detail);
    const onMiss = ({ refusal }: { refusal: string | undefined }): unknown => reasons.push(refusal);
    events.on('bypass', onBypass).on('miss', onMiss);
    try {
      await this.read(make());
      const { value, statements } = await this.read(make());
      expectEqual(reasons, [reason, reason]);
      expectEqual(statements.length > 0, true);
      return value;
    } finally {
      events.off('bypass', onBypass).off('miss', onMiss);
    }
  }
}

const FROM_DATABASE = { isHit: false, isAsked: true };

function expectEqual(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}
