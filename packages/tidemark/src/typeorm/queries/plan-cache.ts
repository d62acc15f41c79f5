/**
 * Caches the plans of bound queries, so that a hit neither builds nor compiles its query.
 *
 * A builder is a pure function of its parameters (define-query.ts), so equal parameters of one definition have one plan
 * under one catalog. A plan is used after it was compiled twice with the same key, and every fill compiles it again:
 * once a builder returns another query for the same parameters, none of its plans are cached any more. Two checks
 * precede a use, since a builder may depend on more than its parameters, such as an ambient transaction
 * (docs/decisions/reads.md).
 */
import { LRUCache } from 'lru-cache';
import type { DataSource } from 'typeorm';
import type { CacheEvents, PlanDifference } from '../../core/ports/cache-events.js';
import type { ReadSet } from '../../core/read-set.js';
import type { BoundQuery } from './bound-query.js';
import { ImpureQueryError } from './query-errors.js';
import { buildQuery, compileQuery, queryRunnerOf } from './compiled-query.js';
import type { CatalogCache } from '../database/catalog-cache.js';
import { CanonicalEncoding } from '../../postgres/analysis/canonical-encoding.js';
import type { OpenTransactions } from '../database/open-transactions.js';
import type { QueryKeys } from './query-key.js';
import { planQuery, type CacheablePlan, type Representation } from './query-planner.js';

export interface RememberedPlan extends Pick<CacheablePlan, 'key' | 'dependencies'> {
  /** Only to report a difference. */
  readonly sql: string;
}

/** Most plans of one definition: those of its most recently used parameters stay. */
const MAX_PLANS = 1_000;
/** Parameters with a longer encoding, in characters, are not cached. */
const MAX_TEXT = 16_384;

interface Plans {
  readonly madeUnder: QueryKeys;
  /** By the encoding of the parameters; confirmed once compiled twice with the same key. */
  readonly byText: LRUCache<
    string,
    { readonly plan: RememberedPlan; readonly isConfirmed: boolean }
  >;
}

export interface PlanCacheParts {
  readonly source: DataSource;
  readonly schema: CatalogCache;
  readonly transactions: OpenTransactions;
  readonly events: CacheEvents;
  /** Share of the calls that are checked, 0 to 1; with 1 a difference is an error. */
  readonly share: number;
}

export class PlanCache {
  /** By definition; `impure`: its plans are no longer cached. */
  readonly #plans = new WeakMap<object, Plans | 'impure'>();
  readonly #dependencies = new LRUCache<string, ReadSet>({ max: MAX_PLANS });

  constructor(private readonly parts: PlanCacheParts) {}

  /**
   * Encodes the parameters and the context of a query, unambiguously within its definition. `undefined` if it has no
   * definition, or they could not be copied or the encoding is too long.
   */
  textOf(
    { definition, parameters, ownsParameters, context }: BoundQuery,
    representation: Representation,
  ): string | undefined {
    if (!definition || !ownsParameters) return undefined;
    const texts = new CanonicalEncoding('of the query', MAX_TEXT);
    try {
      const written = `${representation} ${texts.of(parameters)}`;
      return context ? written + texts.of(context.value) : written;
    } catch {
      return undefined;
    }
  }

  /**
   * The cached plan of the query; `undefined` if the query has to be compiled.
   *
   * @param text the result of {@link textOf}.
   * @throws ImpureQueryError if every call is checked, or any error of the builder.
   */
  get(
    query: BoundQuery,
    text: string | undefined,
    representation: Representation,
  ): RememberedPlan | undefined {
    const plan = this.#confirmed(query, text);
    if (!plan) return undefined;
    query.context?.require();
    const { transactions, source, share } = this.parts;
    if (transactions.isAnyOpen && queryRunnerOf(buildQuery(query, source))) return undefined;
    const isChecked = share > 0 && Math.random() < share;
    return isChecked && this.#differs(query, plan, representation) ? undefined : plan;
  }

  /** Call for every compiled plan. Equal read sets become one object, so that their reads are shared. */
  put(
    bound: BoundQuery | undefined,
    text: string | undefined,
    { key, sql, dependencies }: RememberedPlan,
  ): RememberedPlan {
    const written = JSON.stringify(dependencies);
    const shared = this.#dependencies.get(written) ?? dependencies;
    this.#dependencies.set(written, shared);
    const plan = { key, sql, dependencies: shared };
    if (bound && text !== undefined) this.#remember(bound, text, plan);
    return plan;
  }

  /** The query was compiled and has no plan. */
  putNone(query: BoundQuery, text: string | undefined): void {
    if (this.#confirmed(query, text)) this.#forget(query, 'SQL');
  }

  /** A call of the query carried a query runner. Outside transactions the next call cannot be predicted. */
  hasMetRunner({ definition }: BoundQuery): void {
    if (definition && !this.parts.transactions.isAnyOpen) this.#plans.set(definition, 'impure');
  }

  #confirmed({ definition }: BoundQuery, text: string | undefined): RememberedPlan | undefined {
    const plans = definition && this.#plans.get(definition);
    if (text === undefined || !plans || plans === 'impure') return undefined;
    if (plans.madeUnder !== this.parts.schema.keys) return undefined;
    const known = plans.byText.get(text);
    return known?.isConfirmed === true ? known.plan : undefined;
  }

  #remember(bound: BoundQuery, text: string, plan: RememberedPlan): void {
    const { keys } = this.parts.schema;
    const { definition } = bound;
    let plans = definition && this.#plans.get(definition);
    if (!definition || plans === 'impure') return;
    if (plans?.madeUnder !== keys) {
      plans = { madeUnder: keys, byText: new LRUCache({ max: MAX_PLANS }) };
      this.#plans.set(definition, plans);
    }
    const known = plans.byText.get(text);
    if (!known) plans.byText.set(text, { plan, isConfirmed: false });
    else if (known.plan.key === plan.key) {
      if (!known.isConfirmed) plans.byText.set(text, { plan: known.plan, isConfirmed: true });
    } else if (known.isConfirmed) this.#forget(bound, differenceOf(known.plan, plan));
    else this.#plans.set(definition, 'impure');
  }

  /** The builder returned another query for equal parameters. */
  #forget({ definition, name }: BoundQuery, difference: PlanDifference): void {
    if (definition) this.#plans.set(definition, 'impure');
    this.parts.events.emitSafely('planDiffers', { query: name, difference });
  }

  #differs(query: BoundQuery, plan: RememberedPlan, representation: Representation): boolean {
    const compiled = compileQuery(query, this.parts.source);
    // The query then runs over its query runner.
    if (compiled.queryRunner) return true;
    const made = planQuery(this.parts.schema, compiled, representation);
    if (made.cacheable && made.key === plan.key) return false;
    const difference = differenceOf(plan, compiled);
    this.#forget(query, difference);
    if (this.parts.share >= 1) throw new ImpureQueryError(query.name, difference);
    return true;
  }
}

function differenceOf(plan: RememberedPlan, made: { readonly sql: string }): PlanDifference {
  return plan.sql === made.sql ? 'parameters' : 'SQL';
}
