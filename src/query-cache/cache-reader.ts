/** Carries queries through the read protocol, for HTTP and for callers in this process. */
import type { DataSource } from 'typeorm';
import type { CacheEvents } from './core/cache-events.js';
import type { ReadOutcome, ReadProtocol } from './core/read-protocol.js';
import type { Answer, ReadRequest } from './core/read-request.js';
import type { UncacheableReason } from './core/statement-analysis.js';
import type { WriteFollowing } from './core/write-following.js';
import { UnencodableValueError, type ValueCodec } from './core/value-codec.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { BoundQuery } from './define-query.js';
import { ttlMsOf, type Lifetime } from './lifetime.js';
import { QueryDefinitions } from './query-definitions.js';
import type { CheckedPlans } from './sql/checked-plans.js';
import {
  asCalled,
  compileQuery,
  reasonOf,
  type CacheableQuery,
  type CompiledQuery,
} from './sql/compiled-query.js';
import type { DatabaseSchema } from './sql/database-schema.js';
import type { FillAudit } from './sql/fill-audit.js';
import type { ExecutedQuery, QueryExecutor } from './sql/query-executor.js';
import type { PlanMemo, RememberedPlan } from './sql/plan-memo.js';
import type { QueryPlanner, Representation } from './sql/query-planner.js';
import type { L1Entry } from './stores/l1-cache.js';

export type JsonOutcome = ReadOutcome<L1Entry> & {
  /** Why the query is never cached, or not in this place. */
  readonly detail?: UncacheableReason;
};

/** An answer as values that belong to one caller. */
export interface ValueOutcome {
  readonly value: unknown;
  readonly outcome: JsonOutcome;
}

type ToBody = (value: unknown) => Buffer;

/** What the builder makes is not what the key of a fill stands for: the schema has changed, or the builder. */
class PlanChangedError extends Error {}

/** What loads a relation later is no value. */
class LazyValueError extends Error {}

const toJson: ToBody = (value) => {
  const json =
    typeof value === 'string' || ArrayBuffer.isView(value)
      ? undefined
      : (JSON.stringify(value) as string | undefined);
  if (json === undefined) throw new UnencodableValueError('what is not sent as JSON');
  return Buffer.from(json);
};

const NO_BODY = Buffer.alloc(0);

export class CacheReader {
  readonly #definitions = new QueryDefinitions();
  /** What a fill has read, by the error that says why its values cannot be stored. */
  readonly #notStored = new WeakMap<Error, ExecutedQuery>();

  constructor(
    private readonly source: DataSource,
    private readonly following: WriteFollowing,
    private readonly schema: DatabaseSchema,
    private readonly planner: QueryPlanner,
    private readonly plans: PlanMemo,
    private readonly checkedPlans: CheckedPlans,
    private readonly executor: QueryExecutor,
    private readonly protocol: ReadProtocol<L1Entry>,
    private readonly codecOf: () => ValueCodec,
    private readonly events: CacheEvents,
    private readonly options: Readonly<QueryCacheOptions>,
  ) {}

  /** @throws AmbiguousQueryError */
  onModuleInit(): void {
    this.#definitions.takeDefined();
  }

  /**
   * The answer as JSON bytes. Rejects with what the query rejects with, or UnencodableValueError where a value is
   * answered that HTTP servers do not send as JSON: a text, bytes or nothing.
   */
  readJson(query: CacheableQuery, lifetime: Lifetime): Promise<JsonOutcome> {
    return this.#read(this.#called(query), 'json', lifetime, toJson);
  }

  /** The answer as values, decoded for each caller. Rejects with what the query rejects with. */
  async readValue(query: CacheableQuery, lifetime: Lifetime): Promise<ValueOutcome> {
    const called = this.#called(query);
    try {
      const outcome = await this.#read(called, 'value', lifetime, (value) =>
        this.codecOf().encode(value),
      );
      const { body } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
      return { value: this.codecOf().decode(body), outcome };
    } catch (error) {
      const isLazy = error instanceof LazyValueError;
      if (!isLazy && !(error instanceof UnencodableValueError)) throw error;
      const detail = isLazy ? 'lazy-relations' : 'value-type';
      return this.#valuePastCache(called, detail, error);
    }
  }

  /** @throws AmbiguousQueryError, or what the query's builder throws. */
  #called(query: CacheableQuery): CacheableQuery {
    if (query instanceof BoundQuery) this.#definitions.require(query.definition);
    return asCalled(query, this.source);
  }

  /** Of those who wait for one fill, one gets what it has read, since values belong to one caller. */
  async #valuePastCache(
    query: CacheableQuery,
    detail: UncacheableReason,
    failure: Error,
  ): Promise<ValueOutcome> {
    const executed = this.#notStored.get(failure);
    this.#notStored.delete(failure);
    const compiled = compileQuery(query, this.source);
    const reason = 'uncacheable';
    this.events.tell('bypass', { query: compiled.name, reason, detail });
    const { value, ...answer } = executed ?? (await this.executor.execute(compiled));
    const outcome = {
      source: 'bypass',
      reason,
      detail,
      answer: { ...answer, body: NO_BODY, refusal: detail },
    } as const;
    return { value, outcome };
  }

  #read(
    query: CacheableQuery,
    representation: Representation,
    lifetime: Lifetime,
    toBody: ToBody,
  ): Promise<JsonOutcome> {
    if (!this.following.isCertain) return this.#readUnfollowed(query, representation, toBody);
    const text = query instanceof BoundQuery ? this.plans.textOf(query, representation) : undefined;
    if (query instanceof BoundQuery && !this.schema.isOutdated) {
      const plan = this.checkedPlans.recall(query, text, representation);
      if (plan) return this.#readPlanned(query, representation, text, plan, lifetime, toBody);
    }
    return this.#plan(query, representation, text, lifetime, toBody);
  }

  /** @throws LazyValueError */
  async #readUnfollowed(
    query: CacheableQuery,
    representation: Representation,
    toBody: ToBody,
  ): Promise<JsonOutcome> {
    const compiled = compileQuery(query, this.source);
    refuseLazyValues(compiled, representation);
    const run = (): Promise<Answer> => this.#run(compiled, toBody);
    return this.protocol.bypass({ query: compiled.name, run }, 'not-followed');
  }

  async #plan(
    query: CacheableQuery,
    representation: Representation,
    text: string | undefined,
    lifetime: Lifetime,
    toBody: ToBody,
  ): Promise<JsonOutcome> {
    const compiled = compileQuery(query, this.source);
    const { bound, queryRunner, sql } = compiled;
    refuseLazyValues(compiled, representation);
    if (queryRunner) return this.#readPast(compiled, toBody);
    const run = (audit?: FillAudit): Promise<Answer> => this.#run(compiled, toBody, audit);
    await this.schema.load();
    let plan = this.planner.plan(compiled, representation);
    if (!plan.cacheable && plan.reason === 'unknown-table' && (await this.schema.lookAgain())) {
      plan = this.planner.plan(compiled, representation);
    }
    if (!plan.cacheable) return this.#bypass(compiled, toBody, plan.reason);
    const { key, dependencies } = this.plans.learn(bound, text, { ...plan, sql });
    const request = {
      query: compiled.name,
      key,
      dependencies,
      run: () => run(plan.audit),
      ttlMs: (answer: Answer) => ttlMsOf(answer, lifetime, this.options),
    };
    return this.#readCached(request, query, toBody);
  }

  /** Compiles the query only where it has to be run. */
  #readPlanned(
    query: BoundQuery,
    representation: Representation,
    text: string | undefined,
    { key, dependencies }: RememberedPlan,
    lifetime: Lifetime,
    toBody: ToBody,
  ): Promise<JsonOutcome> {
    const request = {
      query: query.name,
      key,
      dependencies,
      run: () => this.#runAnew(query, representation, text, key, toBody),
      ttlMs: (answer: Answer) => ttlMsOf(answer, lifetime, this.options),
    };
    return this.#readCached(request, query, toBody);
  }

  /** A fill that is shared serves nobody where its plan has changed: each caller runs what it has built. */
  #readCached(request: ReadRequest, query: CacheableQuery, toBody: ToBody): Promise<JsonOutcome> {
    return this.protocol.read(request).catch((error: unknown) => {
      if (!(error instanceof PlanChangedError)) throw error;
      return this.#readPast(compileQuery(query, this.source), toBody);
    });
  }

  /**
   * Compiles the query, and finds out whether it still is the one that the key stands for.
   *
   * @throws PlanChangedError
   */
  async #runAnew(
    query: BoundQuery,
    representation: Representation,
    text: string | undefined,
    key: string,
    toBody: ToBody,
  ): Promise<Answer> {
    const compiled = compileQuery(query, this.source);
    await this.schema.load();
    const plan = this.planner.plan(compiled, representation);
    // The answer may be shared, and what a caller's own query runner sees must not be.
    if (compiled.queryRunner) throw new PlanChangedError();
    if (plan.cacheable) {
      this.plans.learn(query, text, { ...plan, sql: compiled.sql });
      if (plan.key === key) return this.#run(compiled, toBody, plan.audit);
    } else if (this.plans.recall(query, text)) this.plans.forget(query, 'SQL');
    throw new PlanChangedError();
  }

  /** Over the query runner that the builder carries, if it does. */
  #readPast(compiled: CompiledQuery, toBody: ToBody): Promise<JsonOutcome> {
    const { bound, queryRunner } = compiled;
    if (!queryRunner) return this.#bypass(compiled, toBody, 'plan-changed');
    // Whoever brings a connection may have begun a transaction on it, changed its settings or
    // chosen a replica: what it answers is for them alone.
    if (bound) this.checkedPlans.hasMetRunner(bound);
    return this.#bypass(compiled, toBody, reasonOf(queryRunner));
  }

  async #run(query: CompiledQuery, toBody: ToBody, audit?: FillAudit): Promise<Answer> {
    const executed = await this.executor.execute(query, audit);
    const { value, refusal, ...rest } = executed;
    try {
      return { ...rest, body: toBody(value), refusal: refusal?.reason };
    } catch (error) {
      if (error instanceof UnencodableValueError) this.#notStored.set(error, executed);
      throw error;
    }
  }

  async #bypass(
    compiled: CompiledQuery,
    toBody: ToBody,
    detail: UncacheableReason,
  ): Promise<JsonOutcome> {
    const reason = detail === 'transaction' ? 'transaction' : 'uncacheable';
    const run = (): Promise<Answer> => this.#run(compiled, toBody);
    const outcome = await this.protocol.bypass({ query: compiled.name, run }, reason, detail);
    return { ...outcome, detail };
  }
}

/** @throws LazyValueError */
function refuseLazyValues(
  { separate, bound }: CompiledQuery,
  representation: Representation,
): void {
  if (representation === 'value' && separate.hasLazyRelations && !bound?.map) {
    throw new LazyValueError();
  }
}
