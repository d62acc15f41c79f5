/**
 * The plans of bound queries, so that a hit neither builds nor compiles its query.
 *
 * A builder is pure in its parameters (define-query.ts), so equal parameters of one definition have one
 * plan under one catalogue. A plan is used from the second time on that it was made with the same key, and
 * every fill makes it anew: a builder that is found to do something else with the same parameters is never
 * remembered again. checked-plans.ts asks before each use whether the plan still holds.
 */
import { LRUCache } from 'lru-cache';
import type { CacheEvents, PlanDifference } from '../core/cache-events.js';
import type { Dependencies } from '../core/dependency.js';
import type { BoundQuery } from '../define-query.js';
import type { DatabaseSchema } from './database-schema.js';
import { ExactText, type ObjectWriter } from './exact-text.js';
import { isPlain } from './own-copy.js';
import type { QueryKeys } from './query-key.js';
import type { CacheablePlan, Representation } from './query-planner.js';

export interface RememberedPlan extends Pick<CacheablePlan, 'key' | 'dependencies'> {
  /** Only to say what differs. */
  readonly sql: string;
}

/** Plans kept of one definition: those of its most used parameters. */
const MOST_PLANS = 1_000;
/** Parameters with a longer text are not remembered. */
const LONGEST_TEXT = 16_384;

interface Remembered {
  readonly plan: RememberedPlan;
  /** Made twice, with the same key. */
  readonly isConfirmed: boolean;
}

type Plans = LRUCache<string, Remembered>;

export class PlanMemo {
  #madeUnder: QueryKeys | undefined;
  #byDefinition = new WeakMap<object, Plans>();
  readonly #impure = new WeakSet<object>();
  /** Numbers of the classes that parameters are instances of, by prototype. */
  readonly #classes = new WeakMap<object, number>();
  #classCount = 0;
  readonly #dependencies = new LRUCache<string, Dependencies>({ max: MOST_PLANS });

  readonly #writeObject: ObjectWriter = (value, texts) => {
    const prototype = Object.getPrototypeOf(value) as object;
    if (isPlain(prototype)) return texts.ofFields(value);
    let number = this.#classes.get(prototype);
    if (number === undefined) {
      this.#classCount += 1;
      number = this.#classCount;
      this.#classes.set(prototype, number);
    }
    return `c${number};${texts.ofFields(value)}`;
  };

  constructor(
    private readonly schema: DatabaseSchema,
    private readonly events: CacheEvents,
  ) {}

  /**
   * Tells the parameters and the context of a query from others of its definition; `undefined` where no text
   * does, or only a long one. Says nothing outside this process, which numbers the classes of parameters.
   */
  textOf(
    { parameters, ownsParameters, context }: BoundQuery,
    representation: Representation,
  ): string | undefined {
    if (!ownsParameters) return undefined;
    const texts = new ExactText('of the query', this.#writeObject, LONGEST_TEXT);
    try {
      const written = `${representation} ${texts.of(parameters)}`;
      return context ? written + texts.of(context.value) : written;
    } catch {
      return undefined;
    }
  }

  /** The plan of a query where it is known for sure; `text` is what {@link textOf} says of it. */
  recall({ definition }: BoundQuery, text: string | undefined): RememberedPlan | undefined {
    if (text === undefined || !this.#madeUnder || this.#madeUnder !== this.schema.keys) {
      return undefined;
    }
    const known = this.#byDefinition.get(definition)?.get(text);
    return known?.isConfirmed === true ? known.plan : undefined;
  }

  /**
   * To be called whenever a plan was made; answers it with dependencies that equal ones share.
   */
  learn(
    bound: BoundQuery | undefined,
    text: string | undefined,
    { key, sql, dependencies }: RememberedPlan,
  ): RememberedPlan {
    const plan = { key, sql, dependencies: this.#shared(dependencies) };
    if (bound && text !== undefined) this.#remember(bound, text, plan);
    return plan;
  }

  /** The builder was found to make something else of equal parameters: no plan of it is used any more. */
  forget(bound: BoundQuery, difference: PlanDifference): void {
    this.neverRemember(bound);
    this.events.tell('planDiffers', { query: bound.name, difference });
  }

  /** Every call of such queries compiles them from now on. */
  neverRemember({ definition }: BoundQuery): void {
    this.#impure.add(definition);
    this.#byDefinition.delete(definition);
  }

  #remember(bound: BoundQuery, text: string, plan: RememberedPlan): void {
    const { definition } = bound;
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
    if (known && known.plan.key !== plan.key) {
      if (known.isConfirmed) this.forget(bound, differenceOf(known.plan, plan));
      else this.neverRemember(bound);
    } else if (known?.isConfirmed !== true) {
      plans.set(text, { plan: known?.plan ?? plan, isConfirmed: known !== undefined });
    }
  }

  /** Equal lists of dependencies become one, so that whoever reads their versions can share that too. */
  #shared(dependencies: Dependencies): Dependencies {
    const text = JSON.stringify(dependencies);
    const known = this.#dependencies.get(text);
    if (!known) this.#dependencies.set(text, dependencies);
    return known ?? dependencies;
  }
}

export function differenceOf(plan: RememberedPlan, made: { readonly sql: string }): PlanDifference {
  return plan.sql === made.sql ? 'parameters' : 'SQL';
}
