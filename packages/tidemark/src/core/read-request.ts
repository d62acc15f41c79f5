import type { BypassReason, CacheLevel } from './ports/cache-events.js';
import type { ReadSet } from './read-set.js';
import type { CacheEntry } from './ports/entry-store.js';
import type { UncacheableReason } from './statement-analysis.js';

/** The result of a query. */
export interface Answer {
  readonly body: Buffer;
  readonly rowCount: number;
  readonly empty: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Why the answer must not be stored, if running the query has shown a reason. */
  readonly refusal?: UncacheableReason | undefined;
}

/**
 * Ends a fill whose query has not failed: its answer cannot be stored in this form. Callers read in another way, which
 * emits an event for each of them.
 */
export class AbandonedFillError extends Error {}

/** A read that no stored answer may answer: its own answer is stored, or not even that. */
export type FreshRead = 'store' | 'no-store';

export interface ReadRequest {
  /** Name of the query in events. */
  readonly query: string;
  readonly key: string;
  readonly dependencies: ReadSet;
  /** Runs the query against the database. */
  readonly run: () => Promise<Answer>;
  /** The value in the body of an answer, for comparisons; absent: they compare the bytes alone. */
  readonly decode?: ((body: Buffer) => unknown) | undefined;
  /** Time to live of the answer, in milliseconds, including jitter. */
  readonly ttlMs: (answer: Answer) => number;
  readonly fresh?: FreshRead | undefined;
}

/** How a request was answered. */
export type ReadOutcome<E extends CacheEntry> =
  | { readonly source: 'hit'; readonly level: CacheLevel; readonly entry: E }
  /** Filled here, or shared with a running fill; `refusal`: why it was not stored. */
  | {
      readonly source: 'miss';
      readonly stored: boolean;
      readonly refusal: UncacheableReason | undefined;
      readonly entry: E;
    }
  | { readonly source: 'bypass'; readonly reason: BypassReason; readonly answer: Answer };
