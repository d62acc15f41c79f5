import type { TableVersionNames } from '../core/ports/version-store.js';

/** A table that the answer depends on. */
export interface TreatedDependency extends TableVersionNames {
  /** Whether every write to the table ends the answer. */
  readonly isWhole: boolean;
  /** Why the whole table counts, or the values to which the conditions restrict it. */
  readonly reason: string;
}

/** A stored answer that a call would get now. */
export interface TreatedEntry {
  readonly level: 'L1' | 'L2';
  /** Length of the body. */
  readonly bytes: number;
  readonly ageMs: number;
  /** Time to live that is left. */
  readonly leftMs: number;
}

/** How the cache treats a query, by its last call that was compiled in this process. */
export type QueryTreatment = {
  /** Without literals, unless `exposeValues` is `true`. */
  readonly sql: string;
} & (
  | {
      readonly cacheable: true;
      readonly key: string;
      /** Values of regions are those of events. */
      readonly dependencies: readonly TreatedDependency[];
      /** The entry of the key; `undefined`: none is valid, or its regions are in doubt. */
      readonly entry: TreatedEntry | undefined;
    }
  | {
      readonly cacheable: false;
      readonly reason: string;
      readonly detail: string | undefined;
      /** The change that would make the query cacheable. */
      readonly remedy: string;
    }
);
