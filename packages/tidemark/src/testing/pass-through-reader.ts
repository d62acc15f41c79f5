import type { DataSource } from 'typeorm';
import type { CacheEvents } from '../core/ports/cache-events.js';
import type { CacheReader, ValueOutcome } from '../nestjs/cache-reader.js';
import type { JsonOutcome } from '../nestjs/planned-reads.js';
import { BoundQuery } from '../typeorm/queries/bound-query.js';
import type { CacheableQuery, CompiledQuery } from '../typeorm/queries/compiled-query.js';
import { requireSelect } from '../typeorm/queries/sql-builder.js';
import { executeBuilder, type ExecutedQuery } from '../typeorm/queries/query-executor.js';

/** By the names of queries: an answer, or a function that makes it from the parameters of the query. */
export type FakeAnswers = Readonly<Record<string, unknown>>;

export interface PassThroughParts {
  readonly events: CacheEvents;
  readonly answers: FakeAnswers;
  /** The data source, or a stub of it, that `build` of a definition gets; `undefined`: the test has none. */
  readonly source: () => DataSource | undefined;
}

type Public = Pick<CacheReader, keyof CacheReader>;

/** Answers each query past the cache: with the given answer, or by its builder. */
export class PassThroughReader implements Public {
  readonly isEnabled = false;
  readonly honoursRequestCacheControl = false;

  constructor(private readonly parts: PassThroughParts) {}

  onModuleInit(): void {}

  requireOwn(): void {}

  /** Without a body: while `isEnabled` is false, answers are sent as values. */
  async readJson(query: CacheableQuery): Promise<JsonOutcome> {
    return (await this.readValue(query)).outcome;
  }

  async readValue(query: CacheableQuery): Promise<ValueOutcome> {
    const { events, answers } = this.parts;
    const name = nameOf(query);
    events.emitSafely('bypass', {
      query: name,
      reason: 'disabled',
      detail: undefined,
      durationMs: 0,
    });
    const isGiven = Object.hasOwn(answers, name);
    const executed = isGiven ? given(answers[name], query) : this.#execute(name, query);
    const { value, rowCount, empty, headers } = await executed;
    const answer = { body: Buffer.alloc(0), rowCount, empty, headers };
    return { value, outcome: { source: 'bypass', reason: 'disabled', answer } };
  }

  async #execute(name: string, query: CacheableQuery): Promise<ExecutedQuery> {
    const bound = query instanceof BoundQuery ? query : undefined;
    const source = this.parts.source();
    if (bound && !source) {
      throw new Error(
        `The test has no answer for the query ${name}: give one by its name, as { '${name}': ... }, or provide a ` +
          'DataSource.',
      );
    }
    if (bound) await requireSelect(bound);
    const builder = bound ? bound.build(source as DataSource) : query;
    const shape = bound?.shape ?? 'many';
    const separate = { hasLazyRelations: false };
    const executed = await executeBuilder({ bound, builder, shape, separate } as CompiledQuery);
    return bound?.forCaller ? { ...executed, value: bound.forCaller(executed.value) } : executed;
  }
}

/** The name that the query has in events. */
function nameOf(query: CacheableQuery): string {
  if (query instanceof BoundQuery) return query.name;
  const { mainAlias } = query.expressionMap;
  return mainAlias?.hasMetadata ? mainAlias.metadata.name : 'query';
}

async function given(answer: unknown, query: CacheableQuery): Promise<ExecutedQuery> {
  const bound = query instanceof BoundQuery ? query : undefined;
  const value =
    typeof answer === 'function'
      ? await (answer as (parameters: unknown) => unknown)(bound?.parameters)
      : answer;
  const rows = rowsOf(value, bound);
  return {
    value,
    rowCount: rows.length,
    empty: rows.length === 0,
    headers: bound?.headers(rows) ?? {},
    refusal: undefined,
  };
}

function rowsOf(value: unknown, bound: BoundQuery | undefined): readonly unknown[] {
  const isPage = bound?.shape === 'many-and-count' && Array.isArray(value);
  const rows: unknown = isPage ? (value as unknown[])[0] : value;
  if (Array.isArray(rows)) return rows;
  return rows === null || rows === undefined ? [] : [rows];
}
