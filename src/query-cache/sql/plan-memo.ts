/**
 * The plans of bound queries, so that a hit neither builds nor compiles its query.
 *
 * A builder is pure in its parameters (define-query.ts), so equal parameters of one definition have one
 * plan under one catalogue. A plan is used from the second time on that it was made with the same key, and
 * every fill makes it anew: a builder that is found to do something else with the same parameters is never
 * remembered again.
 */
import { LRUCache } from 'lru-cache';
import type { BoundQuery } from '../define-query.js';
import type { DatabaseSchema } from './database-schema.js';
import { exactText, UnkeyableParameterError, type QueryKeys } from './query-key.js';
import type { CacheablePlan, Representation } from './query-planner.js';

export type RememberedPlan = Pick<CacheablePlan, 'key' | 'dependencies'>;

/** Plans kept of one definition: those of its most used parameters. */
const MOST_PLANS = 1_000;

interface Remembered {
  readonly plan: RememberedPlan;
  /** Made twice, with the same key. */
  readonly isConfirmed: boolean;
}

export interface MemoPlace {
  readonly query: BoundQuery;
  readonly representation: Representation;
  readonly plan: RememberedPlan | undefined;
  /** To be called whenever the plan was made. */
  readonly learn: (plan: RememberedPlan) => void;
}

type Plans = LRUCache<string, Remembered>;

export class PlanMemo {
  #madeUnder: QueryKeys | undefined;
  #byDefinition = new WeakMap<object, Plans>();
  readonly #impure = new WeakSet<object>();

  constructor(private readonly schema: DatabaseSchema) {}

  /** Where the plan of a query is kept; `undefined` where no text tells its parameters from others. */
  find(query: BoundQuery, representation: Representation): MemoPlace | undefined {
    let text: string;
    try {
      text = `${representation} ${exactText(query.parameters)}`;
    } catch (error) {
      if (error instanceof UnkeyableParameterError) return undefined;
      throw error;
    }
    return {
      query,
      representation,
      plan: this.#recall(query.definition, text),
      learn: (plan) => this.#learn(query.definition, text, plan),
    };
  }

  #recall(definition: object, text: string): RememberedPlan | undefined {
    if (!this.#madeUnder || this.#madeUnder !== this.schema.keys) return undefined;
    const known = this.#byDefinition.get(definition)?.get(text);
    return known?.isConfirmed === true ? known.plan : undefined;
  }

  #learn(definition: object, text: string, { key, dependencies }: RememberedPlan): void {
    if (this.#impure.has(definition)) return;
    if (this.#madeUnder !== this.schema.keys) {
      this.#madeUnder = this.schema.keys;
      this.#byDefinition = new WeakMap();
    }
    let plans = this.#byDefinition.get(definition);
    if (!plans) {
      plans = new LRUCache({ max: MOST_PLANS });
      this.#byDefinition.set(definition, plans);
    }
    const known = plans.get(text);
    if (known && known.plan.key !== key) {
      this.#impure.add(definition);
      this.#byDefinition.delete(definition);
    } else if (known?.isConfirmed !== true) {
      plans.set(text, { plan: { key, dependencies }, isConfirmed: known !== undefined });
    }
  }
}
