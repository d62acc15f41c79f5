/** Decides by the plan of a query whether it is read through the read protocol or past the cache. */
import type { DataSource } from 'typeorm';
import type { BypassReason } from '../core/ports/cache-events.js';
import type { WriteFollowing } from '../core/ports/write-following.js';
import type { Answer, ReadOutcome } from '../core/read-request.js';
import type { Refusal, UncacheableReason } from '../core/statement-analysis.js';
import type { L1Entry } from '../l1/l1-entry.js';
import { UnencodableValueError } from '../typeorm/answers/value-codec.js';
import type { CatalogCache } from '../typeorm/database/catalog-cache.js';
import { BoundQuery } from '../typeorm/queries/bound-query.js';
import {
  compileQuery,
  nameOfQuery,
  reasonOf,
  RUNNER,
  type CacheableQuery,
  type CompiledQuery,
} from '../typeorm/queries/compiled-query.js';
import type { FillAudit } from '../typeorm/queries/fill-audit.js';
import type { PlanCache, RememberedPlan } from '../typeorm/queries/plan-cache.js';
import type { LastCalls } from '../typeorm/queries/last-calls.js';
import { NotASelectError, NotFollowedError } from '../typeorm/queries/query-errors.js';
import type { ExecutedQuery, QueryExecutor } from '../typeorm/queries/query-executor.js';
import { planQuery, type Representation } from '../typeorm/queries/query-planner.js';
import type { ToBody } from './answer-json.js';
import { LazyValueError, PlanChangedError } from './cache-reader.errors.js';
import { ttlMsOf, type ReadOptions } from './lifetime.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { DISABLED } from './query-treatments.js';
import type { ReadCore } from './read-core.js';
import type { WholeTableLog } from './whole-table-log.js';

export type JsonOutcome = ReadOutcome<L1Entry> & {
  /** Why the query is never cached, or not in this place. */
  readonly detail?: UncacheableReason | undefined;
};

/** One read of a query in one representation. */
interface Call {
  readonly query: CacheableQuery;
  readonly representation: Representation;
  readonly options: ReadOptions;
  readonly toBody: ToBody;
  readonly decode: (body: Buffer) => unknown;
}

export interface PlannedReadsParts {
  readonly source: DataSource;
  readonly following: WriteFollowing;
  readonly schema: CatalogCache;
  readonly plans: PlanCache;
  readonly executor: QueryExecutor;
  readonly core: ReadCore;
  readonly calls: LastCalls;
  readonly options: Readonly<QueryCacheOptions>;
  /** Only in development. */
  readonly wholeTables: WholeTableLog | undefined;
}

const PLAN_CHANGED: Refusal = {
  reason: 'plan-changed',
  detail: 'equal parameters gave another query than before, or the schema has changed meanwhile',
};

export class PlannedReads {
  /** The result of a fill, by the error that shows why its values cannot be stored. */
  readonly #notStored = new WeakMap<Error, ExecutedQuery>();

  constructor(private readonly parts: PlannedReadsParts) {}

  /**
   * Rejects with the error of the query, NotFollowedError or NotASelectError; or with LazyValueError or
   * UnencodableValueError if the answer has no such representation.
   */
  async read(call: Call): Promise<JsonOutcome> {
    const { following, schema, plans, options } = this.parts;
    const { query, representation, toBody } = call;
    if (!following.hasStarted) throw new NotFollowedError(nameOfQuery(query));
    if (query instanceof BoundQuery && query.sql !== undefined) {
      await schema.load();
      if (!schema.analyser.isSelect(query.sql)) throw new NotASelectError(query.name);
    }
    if (!options.enabled || !following.isCertain) {
      const compiled = this.#compile(call);
      const reason = options.enabled ? 'not-followed' : 'disabled';
      return this.bypass(compiled, () => this.#run(compiled, toBody), reason);
    }
    if (!(query instanceof BoundQuery)) return this.#plan(call, undefined);
    const text = plans.textOf(query, representation);
    const plan = schema.isOutdated ? undefined : plans.get(query, text, representation);
    if (!plan) return this.#plan(call, text);
    return this.#readCached(call, query.name, plan, () => this.#runAgain(call, query, text, plan));
  }

  /** Runs the query, stores nothing and emits the reason. */
  async bypass(
    compiled: CompiledQuery,
    run: () => Promise<Answer>,
    reason: BypassReason,
    refusal?: Refusal,
  ): Promise<JsonOutcome> {
    const { calls, core } = this.parts;
    const detail = refusal?.reason;
    if (refusal) calls.note(compiled, refusal);
    else if (reason === 'disabled') calls.note(compiled, DISABLED);
    const { name } = compiled;
    const outcome = await core.protocol.bypass({ query: name, run }, reason, detail);
    return { ...outcome, detail };
  }

  /** The result of the fill that has failed with this error. The first caller gets it: values belong to one caller. */
  takeResult(error: Error): ExecutedQuery | undefined {
    const executed = this.#notStored.get(error);
    this.#notStored.delete(error);
    return executed;
  }

  /** @throws LazyValueError */
  async #plan(call: Call, text: string | undefined): Promise<JsonOutcome> {
    const { schema, plans, calls } = this.parts;
    const { representation, toBody } = call;
    const compiled = this.#compile(call);
    if (compiled.queryRunner) return this.#readPast(compiled, toBody);
    await schema.load();
    let plan = planQuery(schema, compiled, representation);
    if (!plan.cacheable && plan.reason === 'unknown-table' && (await schema.reloadIfDue())) {
      plan = planQuery(schema, compiled, representation);
    }
    if (!plan.cacheable) return this.#readPast(compiled, toBody, plan);
    this.parts.wholeTables?.note(compiled, plan.dependencies);
    const { audit } = plan;
    const stored = plans.put(compiled.bound, text, { ...plan, sql: compiled.sql });
    calls.note(compiled, stored);
    return this.#readCached(call, compiled.name, stored, () => this.#run(compiled, toBody, audit));
  }

  /** A shared fill has no result if its plan has changed: each caller then runs its query separately. */
  async #readCached(
    { query, options, toBody, decode }: Call,
    name: string,
    { key, dependencies }: RememberedPlan,
    run: () => Promise<Answer>,
  ): Promise<JsonOutcome> {
    const { core, source, calls } = this.parts;
    const ttlMs = (answer: Answer): number => ttlMsOf(answer, options, this.parts.options);
    const request = { query: name, key, dependencies, run, ttlMs, decode, fresh: options.fresh };
    try {
      const outcome = await core.protocol.read(request);
      if (outcome.source === 'hit') core.auditor?.hit(request, outcome.entry);
      else if (outcome.source === 'miss' && outcome.refusal) calls.refused(name, outcome.refusal);
      return outcome;
    } catch (error) {
      if (!(error instanceof PlanChangedError)) throw error;
      return this.#readPast(compileQuery(query, source), toBody);
    }
  }

  /**
   * Compiles a query with a cached plan, and checks that the plan still has the key of the fill.
   *
   * @throws PlanChangedError
   */
  async #runAgain(
    { representation, toBody }: Call,
    query: BoundQuery,
    text: string | undefined,
    { key }: RememberedPlan,
  ): Promise<Answer> {
    const { source, schema, plans, calls } = this.parts;
    const compiled = compileQuery(query, source);
    await schema.load();
    const plan = planQuery(schema, compiled, representation);
    // Other callers may share the answer, and must not see the view of a query runner of one caller.
    if (compiled.queryRunner) throw new PlanChangedError();
    if (plan.cacheable) {
      calls.note(compiled, plans.put(query, text, { ...plan, sql: compiled.sql }));
      if (plan.key === key) return this.#run(compiled, toBody, plan.audit);
    } else plans.putNone(query, text);
    throw new PlanChangedError();
  }

  /**
   * Runs the query past the cache. A query runner in its builder may be in a transaction, have other settings or lead
   * to a replica, so its answer is for this caller alone.
   */
  #readPast(
    compiled: CompiledQuery,
    toBody: ToBody,
    refusal: Refusal = PLAN_CHANGED,
  ): Promise<JsonOutcome> {
    const { bound, queryRunner } = compiled;
    if (bound && queryRunner) this.parts.plans.hasMetRunner(bound);
    const found = queryRunner ? { reason: reasonOf(queryRunner), detail: RUNNER } : refusal;
    const reason = found.reason === 'transaction' ? 'transaction' : 'uncacheable';
    return this.bypass(compiled, () => this.#run(compiled, toBody), reason, found);
  }

  /** @throws LazyValueError */
  #compile({ query, representation }: Call): CompiledQuery {
    const compiled = compileQuery(query, this.parts.source);
    const { separate, bound } = compiled;
    if (representation === 'value' && separate.hasLazyRelations && !bound?.map) {
      throw new LazyValueError();
    }
    return compiled;
  }

  async #run(query: CompiledQuery, toBody: ToBody, audit?: FillAudit): Promise<Answer> {
    const executed = await this.parts.executor.execute(query, audit);
    const { value, refusal, ...rest } = executed;
    try {
      return { ...rest, body: toBody(value), refusal: refusal?.reason };
    } catch (error) {
      if (error instanceof UnencodableValueError) this.#notStored.set(error, executed);
      throw error;
    }
  }
}
