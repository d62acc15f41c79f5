/**
 * Counts by the name of the query, for a bounded number of names.
 *
 * A name is counted by itself while it is among the busiest, and as `other` before and after. A count is never moved
 * from one to the other, so that each series only grows, as Prometheus demands of counters.
 */
import type { BypassReason } from '../core/ports/cache-events.js';
import type { Clock } from '../core/ports/clock.js';

/** The name under which the queries without separate counts are summed. */
export const OTHER = 'other';
const MAX_NAMES = 200;
/** Longer names are cut: some are made of SQL text. */
const MAX_NAME_LENGTH = 120;
/** Names that may become busy enough, until the next review. */
const MAX_CANDIDATES = 1_000;
/** Shortest pause between two reviews. */
const REVIEW_MS = 60_000;
/** So many times as busy as a counted name must a candidate be to take its place. */
const MUCH_BUSIER = 2;

export class QueryCount {
  /** Hits by level. */
  l1 = 0;
  l2 = 0;
  stored = 0;
  notStored = 0;
  readonly bypasses = new Map<BypassReason, number>();
  /** Time of fills. */
  fillMs = 0;
  /** Database time that hits have saved. */
  savedMs = 0;
  servedBytes = 0;
  /** Requests at the last review. */
  reviewed = 0;

  get fills(): number {
    return this.stored + this.notStored;
  }

  get requests(): number {
    let sum = this.l1 + this.l2 + this.fills;
    for (const count of this.bypasses.values()) sum += count;
    return sum;
  }
}

export class QueryCounts {
  readonly #counted = new Map<string, QueryCount>();
  readonly #other = new QueryCount();
  /** Requests since the last review of names that count as `other`. */
  readonly #candidates = new Map<string, number>();
  #reviewedAtMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly maxNames = MAX_NAMES,
  ) {
    this.#reviewedAtMs = clock.nowMs();
  }

  /** The count of a query for one request. */
  of(query: string): QueryCount {
    return this.#counted.get(query) ?? this.#ofUncounted(query);
  }

  /** The counts by name. A new name takes the place of a less busy one here, at most once a minute. */
  entries(): readonly (readonly [query: string, count: QueryCount])[] {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.#reviewedAtMs >= REVIEW_MS) {
      this.#reviewedAtMs = nowMs;
      this.#review();
    }
    return [...this.#counted, [OTHER, this.#other]];
  }

  #ofUncounted(query: string): QueryCount {
    if (query.length > MAX_NAME_LENGTH) return this.of(query.slice(0, MAX_NAME_LENGTH));
    if (query === OTHER) return this.#other;
    if (this.#counted.size < this.maxNames) return this.#add(query);
    const requests = this.#candidates.get(query);
    if (requests !== undefined || this.#candidates.size < MAX_CANDIDATES) {
      this.#candidates.set(query, (requests ?? 0) + 1);
    }
    return this.#other;
  }

  #add(query: string): QueryCount {
    const count = new QueryCount();
    this.#counted.set(query, count);
    return count;
  }

  #review(): void {
    const idlest = [...this.#counted]
      .map(([query, count]) => ({ query, requests: count.requests - count.reviewed }))
      .sort((one, other) => one.requests - other.requests);
    const busiest = [...this.#candidates].sort(([, one], [, other]) => other - one);
    for (const [index, [query, requests]] of busiest.entries()) {
      const idle = idlest[index];
      if (!idle || requests <= idle.requests * MUCH_BUSIER) break;
      this.#counted.delete(idle.query);
      this.#add(query);
    }
    this.#candidates.clear();
    for (const count of this.#counted.values()) count.reviewed = count.requests;
  }
}
