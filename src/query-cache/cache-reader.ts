/** Carries queries through the read protocol, for HTTP and for callers in this process. */
import type { DataSource } from 'typeorm';
import type { BypassReason, CacheEvents } from './core/cache-events.js';
import type { ReadOutcome, ReadProtocol } from './core/read-protocol.js';
import type { Answer } from './core/read-request.js';
import type { UncacheableReason } from './core/statement-analysis.js';
import { UnencodableValueError, type ValueCodec } from './core/value-codec.js';
import type { QueryCacheOptions } from './query-cache.options.js';
import { BoundQuery } from './define-query.js';
import { compileQuery, type CacheableQuery, type CompiledQuery } from './sql/compiled-query.js';
import type { DatabaseSchema } from './sql/database-schema.js';
import type { FillAudit } from './sql/fill-audit.js';
import type { QueryExecutor } from './sql/query-executor.js';
import type { PlanMemo, RememberedPlan } from './sql/plan-memo.js';
import type { QueryPlanner, Representation } from './sql/query-planner.js';
import type { L1Entry } from './stores/l1-cache.js';

/** How long an answer may live, in milliseconds before jitter. */
export interface Lifetime {
  readonly ttl?: number;
  readonly emptyTtl?: number;
}

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

/** Share of the time to live that an answer without a row gets. */
const EMPTY_TTL_SHARE = 0.1;

export class CacheReader {
  constructor(
    private readonly source: DataSource,
    private readonly schema: DatabaseSchema,
    private readonly planner: QueryPlanner,
    private readonly plans: PlanMemo,
    private readonly executor: QueryExecutor,
    private readonly protocol: ReadProtocol<L1Entry>,
    private readonly codec: ValueCodec,
    private readonly events: CacheEvents,
    private readonly options: Readonly<QueryCacheOptions>,
  ) {}

  /**
   * The answer as JSON bytes. Rejects with what the query rejects with, or UnencodableValueError where a value is
   * answered that HTTP servers do not send as JSON: a text, bytes or nothing.
   */
  readJson(query: CacheableQuery, lifetime: Lifetime): Promise<JsonOutcome> {
    return this.#read(query, 'json', lifetime, toJson);
  }

  /** The answer as values, decoded for each caller. Rejects with what the query rejects with. */
  async readValue(query: CacheableQuery, lifetime: Lifetime): Promise<ValueOutcome> {
    try {
      const outcome = await this.#read(query, 'value', lifetime, (value) =>
        this.codec.encode(value),
      );
      const { body } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
      return { value: this.codec.decode(body), outcome };
    } catch (error) {
      const isLazy = error instanceof LazyValueError;
      if (!isLazy && !(error instanceof UnencodableValueError)) throw error;
      return this.#valuePastCache(query, isLazy ? 'lazy-relations' : 'value-type');
    }
  }

  async #valuePastCache(query: CacheableQuery, detail: UncacheableReason): Promise<ValueOutcome> {
    const compiled = compileQuery(query, this.source);
    const reason = 'uncacheable';
    this.#tellBypass(compiled, reason, detail);
    const { value, ...answer } = await this.executor.execute(compiled);
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
    const text = query instanceof BoundQuery ? this.plans.textOf(query, representation) : undefined;
    if (query instanceof BoundQuery && !this.schema.isOutdated) {
      const plan = this.plans.recall(query, text);
      if (plan) return this.#readPlanned(query, representation, text, plan, lifetime, toBody);
    }
    return this.#plan(query, representation, text, lifetime, toBody);
  }

  /** @throws LazyValueError */
  async #plan(
    query: CacheableQuery,
    representation: Representation,
    text: string | undefined,
    lifetime: Lifetime,
    toBody: ToBody,
  ): Promise<JsonOutcome> {
    const compiled = compileQuery(query, this.source);
    const { separate, bound, queryRunner } = compiled;
    if (representation === 'value' && separate.hasLazyRelations && !bound?.map) {
      throw new LazyValueError();
    }
    const run = (audit?: FillAudit): Promise<Answer> => this.#run(compiled, toBody, audit);
    if (queryRunner) {
      // Whoever brings a connection may have begun a transaction on it, changed its settings or
      // chosen a replica: what it answers is for them alone.
      const reason = queryRunner.isTransactionActive ? 'transaction' : 'query-runner';
      return { ...(await this.#bypass(compiled, run, reason)), detail: reason };
    }
    await this.schema.load();
    let plan = this.planner.plan(compiled, representation);
    if (!plan.cacheable && plan.reason === 'unknown-table' && (await this.schema.lookAgain())) {
      plan = this.planner.plan(compiled, representation);
    }
    if (!plan.cacheable) {
      return { ...(await this.#bypass(compiled, run, plan.reason)), detail: plan.reason };
    }
    const { key, dependencies } = this.plans.learn(bound, text, plan);
    const { audit } = plan;
    // What TypeORM does with a builder that runs twice at once would mix up their connections.
    const again =
      query instanceof BoundQuery
        ? () => this.#runAnew(query, representation, text, key, toBody)
        : undefined;
    return this.protocol.read({
      query: compiled.name,
      key,
      dependencies,
      run: again ? first(() => run(audit), again) : () => run(audit),
      isRepeatable: again !== undefined,
      ttlMs: (answer) => this.#ttlMs(answer, lifetime),
    });
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
    return this.protocol.read({
      query: query.name,
      key,
      dependencies,
      run: () => this.#runAnew(query, representation, text, key, toBody),
      isRepeatable: true,
      ttlMs: (answer) => this.#ttlMs(answer, lifetime),
    });
  }

  /** Compiles the query, and finds out whether it still is the one that the key stands for. */
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
    if (plan.cacheable && !compiled.queryRunner) {
      this.plans.learn(query, text, plan);
      if (plan.key === key) return this.#run(compiled, toBody, plan.audit);
    }
    // The schema has changed, or the builder is not what it has to be.
    const answer = await this.#run(compiled, toBody);
    return { ...answer, refusal: answer.refusal ?? 'plan-changed' };
  }

  async #run(query: CompiledQuery, toBody: ToBody, audit?: FillAudit): Promise<Answer> {
    const { value, refusal, ...rest } = await this.executor.execute(query, audit);
    return { ...rest, body: toBody(value), refusal: refusal?.reason };
  }

  #bypass(
    { name }: CompiledQuery,
    run: () => Promise<Answer>,
    detail: UncacheableReason,
  ): Promise<ReadOutcome<L1Entry>> {
    const reason = detail === 'transaction' ? 'transaction' : 'uncacheable';
    return this.protocol.bypass({ query: name, run }, reason, detail);
  }

  #tellBypass({ name }: CompiledQuery, reason: BypassReason, detail: string): void {
    this.events.tell('bypass', { query: name, reason, detail });
  }

  #ttlMs(answer: Answer, { ttl = this.options.ttlMs, emptyTtl }: Lifetime): number {
    const baseMs = answer.empty ? (emptyTtl ?? ttl * EMPTY_TTL_SHARE) : ttl;
    const jitter = 1 + this.options.ttlJitter * (2 * Math.random() - 1);
    return Math.max(1, Math.round(baseMs * jitter));
  }
}

/** Runs the one the first time, and the other one from then on. */
function first<T>(once: () => T, later: () => T): () => T {
  let isFirst = true;
  return () => {
    if (!isFirst) return later();
    isFirst = false;
    return once();
  };
}
