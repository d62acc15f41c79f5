/**
 * Whether `map` and `headers` make the same of the rows outside of the request.
 *
 * A hit has no rows, so what they read past their arguments is looked for at the fill: they run once more in the
 * asynchronous context in which this module was loaded, where AsyncLocalStorage holds nothing of a request.
 */
import { AsyncResource } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';
import type { CacheEvents } from '../core/cache-events.js';
import type { BoundQuery } from '../define-query.js';
import { ImpureQueryError } from '../query-errors.js';
import type { AuditRefusal } from './fill-audit.js';

const outside = new AsyncResource('TidemarkMapCheck');

const IMPURE: AuditRefusal = {
  reason: 'impure-map',
  detail: '`map` or `headers` reads more than its arguments',
};

export class MapCheck {
  /** @param share of the fills that are checked, 0 to 1; with 1 a difference is an error. */
  constructor(
    private readonly share: number,
    private readonly events: CacheEvents,
  ) {}

  /**
   * Why the answer must not be stored; `undefined` where it may be.
   *
   * @throws ImpureQueryError where every fill is checked.
   */
  refusalOf(
    query: BoundQuery | undefined,
    rows: readonly object[],
    mapped: readonly unknown[],
    headers: Readonly<Record<string, string>>,
  ): AuditRefusal | undefined {
    // A context that is declared is part of the key.
    if (!query || query.context || this.share === 0 || Math.random() >= this.share)
      return undefined;
    const { map } = query;
    const isEqual = outside.runInAsyncScope(() => {
      try {
        const again = map ? rows.map((row) => map(row)) : mapped;
        return isDeepStrictEqual([again, query.headers(again)], [mapped, headers]);
      } catch {
        return false;
      }
    });
    if (isEqual) return undefined;
    if (this.share >= 1) throw new ImpureQueryError(query.name, 'mapped rows');
    this.events.tell('planDiffers', { query: query.name, difference: 'mapped rows' });
    return IMPURE;
  }
}
