/** The reads or writes of one SQL text, without its parameters. */
import type { Dimension } from './table-facts.js';

/**
 * A value that the text compares or assigns: a parameter (0-based) or a constant; in comparisons also any element of a
 * parameter that is a list.
 */
export type Term =
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'elements'; readonly index: number }
  | { readonly kind: 'constant'; readonly value: string | number | boolean | null };

/**
 * Proof that every row read from a table has one of the values in the dimension: one tuple per value, with one term per
 * column of the dimension.
 */
export interface Restriction {
  readonly dimension: Dimension;
  readonly tuples: readonly (readonly Term[])[];
}

/** One table that a SELECT reads. */
export interface TableRead {
  readonly table: string;
  /** Proofs that hold for every reference to the table, narrowest first; none: the whole table. */
  readonly restrictions: readonly Restriction[];
}

export type UncacheableReason =
  | 'not-a-select'
  | 'unparsable'
  | 'several-statements'
  | 'volatile-function'
  | 'unknown-function'
  | 'locking-read'
  | 'unknown-table'
  | 'view'
  | 'temporary-table'
  | 'row-security'
  | 'separate-statements'
  | 'lazy-relations'
  | 'foreign-table'
  | 'unlogged-table'
  | 'session-settings'
  | 'standby'
  | 'transaction'
  | 'query-runner'
  | 'parameter-type'
  | 'value-type'
  | 'plan-changed'
  | 'impure-map'
  | 'too-large'
  | 'unknown-keys';

/** Why an answer must not be stored. */
export interface Refusal {
  readonly reason: UncacheableReason;
  readonly detail: string;
}

export type ReadAnalysis =
  | {
      readonly cacheable: true;
      readonly tables: readonly TableRead[];
      /**
       * Whether the answer has one row per existing primary key value and no other rows: fewer rows than values means
       * that some values have no row.
       */
      readonly rowPerKey: boolean;
    }
  | ({ readonly cacheable: false } & Refusal);

/** `truncate`: TRUNCATE, or REFRESH of a materialized view. */
export type WriteAction = 'insert' | 'update' | 'delete' | 'truncate';

/** A table that a text names as the target of a write. */
export interface WriteTarget {
  /** Its `id`. */
  readonly table: string;
  readonly actions: readonly WriteAction[];
  /** The index (0-based) of the statement in the text whose answer counts the rows; `undefined`: no statement does. */
  readonly countedBy: number | undefined;
}

/** The possible effects of a text. Triggers report its writes; its targets matter for tables without triggers. */
export type StatementAnalysis =
  | {
      readonly kind: 'read';
      /** Whether this follows from users' functions and views, which other sessions may have changed since. */
      readonly restsOnSchema: boolean;
      /** Whether names may resolve differently afterwards on the same connection. */
      readonly changesNames: boolean;
    }
  | {
      readonly kind: 'transaction';
      readonly command:
        'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback-to' | 'other';
      /** Savepoint name, as PostgreSQL folds it. */
      readonly name: string | undefined;
    }
  | {
      readonly kind: 'write';
      /** The targets of all statements of the text; a table may occur twice. */
      readonly targets: readonly WriteTarget[];
      /** Whether it may write tables that it does not name: through a view or a function. */
      readonly hasUnknownTargets: boolean;
      readonly changesNames: boolean;
    }
  /** Cannot run in a transaction, or changes the schema. */
  | { readonly kind: 'unknown'; readonly transactional: boolean; readonly changesSchema: boolean };
