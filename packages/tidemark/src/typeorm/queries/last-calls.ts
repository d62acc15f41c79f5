import { LRUCache } from 'lru-cache';
import type { ReadSet } from '../../core/read-set.js';
import type { UncacheableReason } from '../../core/statement-analysis.js';
import type { CompiledQuery } from './compiled-query.js';

/** Most names that are remembered: those compiled last. */
const MAX_NAMES = 200;

/** Why a call was not cached. */
export interface CallRefusal {
  readonly reason: UncacheableReason | 'disabled';
  readonly detail?: string | undefined;
}

interface Planned {
  readonly key: string;
  readonly dependencies: ReadSet;
}

/** A call as it was compiled, without its answer. */
export interface LastCall {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly plan: Planned | CallRefusal;
}

/**
 * The last call of each query that was compiled, by the name of the query. A hit under a cached plan compiles nothing
 * and is not noted.
 */
export class LastCalls {
  readonly #calls = new LRUCache<string, LastCall>({ max: MAX_NAMES });

  get(name: string): LastCall | undefined {
    return this.#calls.get(name);
  }

  note({ name, sql, parameters }: CompiledQuery, plan: LastCall['plan']): void {
    this.#calls.set(name, { sql, parameters, plan });
  }

  /** The answer of the last call must not be stored. */
  refused(name: string, reason: UncacheableReason): void {
    const call = this.#calls.get(name);
    if (call) this.#calls.set(name, { ...call, plan: { reason } });
  }
}
