/** The port for traces: the work of a cache as spans. An adapter runs the work, so that what it sends becomes children. */
import type { Answer, ReadOutcome } from '../read-request.js';
import type { CacheEntry } from './entry-store.js';
import type { TableVersionNames } from './version-store.js';

/** How a read was answered. */
export type TracedRead = ReadOutcome<CacheEntry> & {
  /** Why the query is never cached, or not in this place. */
  readonly detail?: string | undefined;
};

/** A write that was published. */
export interface TracedWrite {
  readonly writeId: string;
  readonly tables: readonly string[];
  /** The buckets of the store that were not reached. */
  readonly unpublishedIn: readonly number[];
}

/** Each method calls `work` once, at once, and settles as it does: also if it throws. */
export interface Tracer {
  /** A read of a query, from its call to its answer. */
  read<T>(query: string, work: () => Promise<T>, outcomeOf: (result: T) => TracedRead): Promise<T>;
  /** A query that runs for an entry. */
  fill(
    query: string,
    tables: readonly TableVersionNames[],
    work: () => Promise<Answer>,
  ): Promise<Answer>;
  /** The publish of an own write, before its COMMIT. */
  publish<T extends TracedWrite>(work: () => Promise<T>): Promise<T>;
  /** The publish of some rows of the outbox, in the background: it has no parent. */
  relay<T>(rows: readonly { readonly table: string }[], work: () => Promise<T>): Promise<T>;
}
