/**
 * Remembered plans, used only where the builder would make the same query now.
 *
 * - An ambient transaction reaches a builder past its parameters. While the application has a transaction
 *   open, the query is built, and one that carries a query runner has no remembered plan.
 * - A builder may read more than its parameters although it must not. A share of the calls is checked by
 *   compiling the query and comparing it with the plan.
 */
import type { DataSource } from 'typeorm';
import type { BoundQuery } from '../define-query.js';
import { ImpureQueryError } from '../query-errors.js';
import { buildQuery, compileQuery, queryRunnerOf } from './compiled-query.js';
import type { OpenTransactions } from './open-transactions.js';
import { differenceOf, type PlanMemo, type RememberedPlan } from './plan-memo.js';
import type { QueryPlanner, Representation } from './query-planner.js';

export interface CheckedPlansParts {
  readonly source: DataSource;
  readonly planner: QueryPlanner;
  readonly plans: PlanMemo;
  readonly transactions: OpenTransactions;
  /** Share of the calls that are checked, 0 to 1; with 1 a difference is an error. */
  readonly share: number;
}

export class CheckedPlans {
  constructor(private readonly parts: CheckedPlansParts) {}

  /**
   * The plan of the query; `undefined` where it has to be compiled.
   *
   * @throws ImpureQueryError where every call is checked, or what the builder throws.
   */
  recall(
    query: BoundQuery,
    text: string | undefined,
    representation: Representation,
  ): RememberedPlan | undefined {
    const plan = this.parts.plans.recall(query, text);
    if (!plan) return undefined;
    query.context?.require();
    if (this.parts.transactions.isAnyOpen && queryRunnerOf(buildQuery(query, this.parts.source))) {
      return undefined;
    }
    const isChecked = this.parts.share > 0 && Math.random() < this.parts.share;
    return isChecked && this.#differs(query, plan, representation) ? undefined : plan;
  }

  /** A call of the query carried a query runner. Outside of transactions nothing foretells the next one. */
  hasMetRunner(query: BoundQuery): void {
    if (!this.parts.transactions.isAnyOpen) this.parts.plans.neverRemember(query);
  }

  #differs(query: BoundQuery, plan: RememberedPlan, representation: Representation): boolean {
    const compiled = compileQuery(query, this.parts.source);
    // Such a query is answered over its query runner, and told so.
    if (compiled.queryRunner) return true;
    const made = this.parts.planner.plan(compiled, representation);
    if (made.cacheable && made.key === plan.key) return false;
    const difference = differenceOf(plan, compiled);
    this.parts.plans.forget(query, difference);
    if (this.parts.share >= 1) throw new ImpureQueryError(query.name, difference);
    return true;
  }
}
