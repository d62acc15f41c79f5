/** Runs queries through the read protocol, for HTTP and for callers in this process. */
import type { CacheEvents } from '../core/ports/cache-events.js';
import type { Answer } from '../core/read-request.js';
import type { Refusal } from '../core/statement-analysis.js';
import { EntityCodec } from '../typeorm/answers/entity-codec.js';
import { UnencodableValueError } from '../typeorm/answers/value-codec.js';
import { DEFAULT_DATA_SOURCE, nameOf } from '../typeorm/database/data-source-name.js';
import { BoundQuery } from '../typeorm/queries/bound-query.js';
import {
  asCalled,
  compileQuery,
  nameOfQuery,
  type CacheableQuery,
} from '../typeorm/queries/compiled-query.js';
import type { QueryDefinitions } from '../typeorm/queries/query-definitions.js';
import { OtherDataSourceError } from '../typeorm/queries/query-errors.js';
import type { ExecutedQuery } from '../typeorm/queries/query-executor.js';
import { requireSelect } from '../typeorm/queries/sql-builder.js';
import { fromJson, NO_BODY, toJson, type ToBody } from './answer-json.js';
import { LazyValueError } from './cache-reader.errors.js';
import type { ReadOptions } from './lifetime.js';
import { PlannedReads, type JsonOutcome, type PlannedReadsParts } from './planned-reads.js';

/** An answer as values that belong to one caller. */
export interface ValueOutcome {
  readonly value: unknown;
  readonly outcome: JsonOutcome;
}

export interface CacheReaderParts extends PlannedReadsParts {
  /** The name of the data source. */
  readonly name: string;
  /** Shared by all caches of the application. */
  readonly definitions: QueryDefinitions;
  readonly events: CacheEvents;
}

const LAZY: Refusal = {
  reason: 'lazy-relations',
  detail: 'an entity of the answer loads a relation on first access',
};

export class CacheReader {
  readonly #codec: EntityCodec;
  readonly #reads: PlannedReads;

  constructor(private readonly parts: CacheReaderParts) {
    this.#codec = new EntityCodec(parts.source);
    this.#reads = new PlannedReads(parts);
  }

  /** @throws AmbiguousQueryError */
  onModuleInit(): void {
    this.parts.definitions.takeDefined();
  }

  get honoursRequestCacheControl(): boolean {
    return this.parts.options.honourRequestCacheControl;
  }

  /** `false`: all queries run past the cache, and answers are as without it. */
  get isEnabled(): boolean {
    return this.parts.options.enabled;
  }

  /**
   * The answer as JSON bytes. Rejects with the error of the query, or with UnencodableValueError if the answer is a
   * value that HTTP servers do not send as JSON: a string, bytes or nothing.
   */
  readJson(query: CacheableQuery, options: ReadOptions): Promise<JsonOutcome> {
    const called = this.#called(query);
    const encoding = { representation: 'json', toBody: toJson, decode: fromJson } as const;
    const call = { query: called, options, ...encoding };
    const { tracer } = this.parts.events;
    if (!tracer) return this.#reads.read(call);
    return tracer.read(nameOfQuery(called), () => this.#reads.read(call), itself);
  }

  /** The answer as values, decoded for each caller. Rejects with the error of the query. */
  async readValue(query: CacheableQuery, options: ReadOptions): Promise<ValueOutcome> {
    const { tracer } = this.parts.events;
    const { value, outcome } = await (tracer
      ? tracer.read(nameOfQuery(query), () => this.#readValue(query, options), outcomeOf)
      : this.#readValue(query, options));
    const forCaller = query instanceof BoundQuery ? query.forCaller : undefined;
    return { value: forCaller ? forCaller(value) : value, outcome };
  }

  async #readValue(query: CacheableQuery, options: ReadOptions): Promise<ValueOutcome> {
    const called = this.#called(query);
    if (!this.isEnabled) {
      if (called instanceof BoundQuery) await requireSelect(called);
      return this.#valueOf(called, 'disabled');
    }
    const decode = (body: Buffer): unknown => this.#codec.decode(body);
    const toBody: ToBody = (value) => this.#codec.encode(value);
    try {
      const call = { query: called, representation: 'value', options, toBody, decode } as const;
      const outcome = await this.#reads.read(call);
      const { body } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
      return { value: decode(body), outcome };
    } catch (error) {
      const isLazy = error instanceof LazyValueError;
      if (isLazy) return this.#valueOf(called, 'uncacheable', LAZY);
      if (!(error instanceof UnencodableValueError)) throw error;
      const refusal = { reason: 'value-type', detail: error.message } as const;
      return this.#valueOf(called, 'uncacheable', refusal, this.#reads.takeResult(error));
    }
  }

  /** @throws AmbiguousQueryError, OtherDataSourceError, or any error of the builder of the query. */
  #called(query: CacheableQuery): CacheableQuery {
    this.requireOwn(query);
    if (query instanceof BoundQuery && query.definition) {
      this.parts.definitions.require(query.definition);
    }
    return asCalled(query, this.parts.source);
  }

  /** @throws OtherDataSourceError if the definition names another data source. */
  requireOwn(query: CacheableQuery): void {
    if (!(query instanceof BoundQuery)) return;
    // An inline query belongs to the cache that runs it.
    const { definition, dataSource = definition ? DEFAULT_DATA_SOURCE : this.parts.name } = query;
    if (dataSource === this.parts.name) return;
    throw new OtherDataSourceError(query.name, `"${dataSource}"`, nameOf(this.parts.source));
  }

  /** The values of a query that bypasses the cache. */
  async #valueOf(
    query: CacheableQuery,
    reason: 'uncacheable' | 'disabled',
    refusal?: Refusal,
    executed?: ExecutedQuery,
  ): Promise<ValueOutcome> {
    const { source, executor } = this.parts;
    const compiled = compileQuery(query, source);
    let value: unknown;
    const run = async (): Promise<Answer> => {
      const { value: read, ...answer } = executed ?? (await executor.execute(compiled));
      value = read;
      return { ...answer, body: NO_BODY, refusal: refusal?.reason };
    };
    const outcome = await this.#reads.bypass(compiled, run, reason, refusal);
    return { value, outcome };
  }
}

const itself = (outcome: JsonOutcome): JsonOutcome => outcome;
const outcomeOf = ({ outcome }: ValueOutcome): JsonOutcome => outcome;
