/**
 * The counts of the busiest queries. Twice as many as are reported are kept; when there are more, those with the fewest
 * requests are summed under the name `other`. So memory is bounded under any number of names, and a new name is counted
 * until then.
 */
import { MINUTE_MS } from './minute-ring.js';
import { QueryCounts } from './query-counts.js';
import type { QueryReport } from './report.js';
import { mergeQueries } from './sums.js';

export const OTHER = 'other';
const REPORTED = 200;

export class BusiestQueries {
  readonly #counts = new Map<string, QueryCounts>();
  #other: { readonly atMs: number; readonly query: QueryReport } | undefined;

  /** @param reported names at most. */
  constructor(private readonly reported = REPORTED) {}

  of(query: string, minute: number): QueryCounts {
    const known = this.#counts.get(query);
    if (known) return known;
    if (this.#counts.size >= 2 * this.reported) this.#compact(minute);
    const counts = new QueryCounts(query);
    this.#counts.set(query, counts);
    return counts;
  }

  /** The busiest first, `other` last. */
  report(minute: number): readonly QueryReport[] {
    const [busiest, rest] = this.#ranked();
    const reports = busiest.map((counts) => counts.report(minute));
    const other = this.#mergeOther(rest, minute);
    return other ? [...reports, other.query] : reports;
  }

  #compact(minute: number): void {
    const [, rest] = this.#ranked();
    this.#other = this.#mergeOther(rest, minute);
    for (const { query } of rest) this.#counts.delete(query);
  }

  #ranked(): readonly [busiest: QueryCounts[], rest: QueryCounts[]] {
    const ranked = [...this.#counts.values()].map((counts) => ({ counts, n: counts.requests }));
    ranked.sort((a, b) => b.n - a.n);
    const all = ranked.map(({ counts }) => counts);
    return [all.slice(0, this.reported), all.slice(this.reported)];
  }

  #mergeOther(rest: readonly QueryCounts[], minute: number) {
    if (rest.length === 0 && !this.#other) return undefined;
    const atMs = minute * MINUTE_MS;
    const parts = rest.map((counts) => ({ atMs, query: counts.report(minute) }));
    return {
      atMs,
      query: mergeQueries(OTHER, [...(this.#other ? [this.#other] : []), ...parts], atMs),
    };
  }
}
