/**
 * Checks that `map`, `answer` and `headers` return the same results outside the request.
 *
 * A hit has no rows, so the fill checks whether they read more than their arguments. They run a second time, on copies
 * of the rows, in the asynchronous context in which this module was loaded: AsyncLocalStorage holds no data of a
 * request there. The results are compared as JSON.
 */
import { AsyncResource } from 'node:async_hooks';
import type { DataSource } from 'typeorm';
import type { CacheEvents } from '../../core/ports/cache-events.js';
import type { BoundQuery } from './bound-query.js';
import { EntityCodec } from '../answers/entity-codec.js';
import { ImpureQueryError } from './query-errors.js';
import type { Refusal } from '../../core/statement-analysis.js';

const outside = new AsyncResource('TidemarkMapCheck');

const IMPURE: Refusal = {
  reason: 'impure-map',
  detail: '`map`, `answer` or `headers` reads more than its arguments',
};

type Rows = readonly object[];

export class MapCheck {
  readonly #codec: EntityCodec;

  /** @param share of the fills that are checked, 0 to 1; with 1 a difference is an error. */
  constructor(
    source: DataSource,
    private readonly share: number,
    private readonly events: CacheEvents,
  ) {
    this.#codec = new EntityCodec(source);
  }

  /**
   * Copies of the rows, taken before `map` may change them. `undefined` if this fill is not checked: by the random
   * share, because the query has no definition or declares its context, or because the rows cannot be copied.
   */
  copyOf(query: BoundQuery | undefined, rows: Rows): Rows | undefined {
    if (!query?.definition || query.context || Math.random() >= this.share) return undefined;
    try {
      return this.#codec.decode(this.#codec.encode(rows)) as Rows;
    } catch {
      return undefined;
    }
  }

  /**
   * Why the answer must not be stored; `undefined` where it may be.
   *
   * @param answer value and headers.
   * @param make makes them from copies of the rows.
   * @throws ImpureQueryError if every fill is checked.
   */
  whyUncacheable(query: BoundQuery, answer: unknown, make: () => unknown): Refusal | undefined {
    const made = jsonOf(() => answer);
    const again = outside.runInAsyncScope(() => jsonOf(make));
    // A value that has no JSON is not stored as JSON.
    if (made === undefined || made === again) return undefined;
    if (this.share >= 1) throw new ImpureQueryError(query.name, 'mapped rows');
    this.events.emitSafely('planDiffers', { query: query.name, difference: 'mapped rows' });
    return IMPURE;
  }
}

function jsonOf(make: () => unknown): string | undefined {
  try {
    return JSON.stringify(make());
  } catch {
    return undefined;
  }
}
