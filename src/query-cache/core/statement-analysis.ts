/** What one SQL text reads or writes, told from its syntax tree alone; parameters come later. */
import type { Dimension } from './table-facts.js';

/**
 * A value the text compares or assigns: a parameter (0-based) or a constant; or, in comparisons,
 * any element of a parameter that is a list.
 */
export type Term =
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'elements'; readonly index: number }
  | { readonly kind: 'constant'; readonly value: string | number | boolean | null };

/**
 * Proof that every row taken from a table has, in the dimension, one of the values.
 * One tuple for each value; a tuple has one term for each column of the dimension.
 */
export interface Confinement {
  readonly dimension: Dimension;
  readonly tuples: readonly (readonly Term[])[];
}

/** One table a SELECT reads. */
export interface TableRead {
  readonly table: string;
  /** Proofs that hold for every reference of the table, narrowest first; none: the whole table. */
  readonly confinements: readonly Confinement[];
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

export type ReadAnalysis =
  | {
      readonly cacheable: true;
      readonly tables: readonly TableRead[];
      /**
       * Whether the answer has one row for each primary key value that exists, and nothing else
       * (one table, no aggregate, no join, no subquery): with as many rows as values, no insert
       * can change it.
       */
      readonly rowPerKey: boolean;
    }
  | { readonly cacheable: false; readonly reason: UncacheableReason; readonly detail: string };

/** One of the ways in which a statement writes one table. */
export interface TableWrite {
  readonly table: string;
  /** `rewrite`: any rows, in any way; nothing more is known of it. */
  readonly action: 'insert' | 'update' | 'delete' | 'rewrite';
  /**
   * The statement of the text, 0-based, whose answer counts the rows; it may count those of other
   * writes as well. `undefined`: no answer counts them, so that some are taken to be written.
   */
  readonly countedBy: number | undefined;
  /** Tables of which any rows may have changed where this write changed any, beside its own. */
  readonly alsoRewrites: readonly string[];
  /** What the WHERE clause proves of the rows as they were; empty for inserts. */
  readonly confinements: readonly Confinement[];
  /** Columns given new values by UPDATE or DO UPDATE; `undefined` where not a plain term. */
  readonly assignments: ReadonlyMap<string, Term | undefined>;
  /** Inserted values by column, one list with a term (or `undefined`) for each row. */
  readonly inserted: ReadonlyMap<string, readonly (Term | undefined)[]>;
  /** INSERT ... ON CONFLICT DO UPDATE: rows not named by VALUES may have changed. */
  readonly mayUpdateOthers: boolean;
  /** From result column to table column, where RETURNING gives that column as it is. */
  readonly returning: ReadonlyMap<string, string>;
}

export type StatementAnalysis =
  | {
      readonly kind: 'read';
      /**
       * Whether that it only reads follows from definitions that others may have changed since:
       * of functions and views of users.
       */
      readonly restsOnSchema: boolean;
      /** Whether names may mean something else afterwards over the same connection. */
      readonly changesNames: boolean;
    }
  | {
      readonly kind: 'transaction';
      readonly command:
        'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback-to' | 'other';
      /** Savepoint name, as PostgreSQL folds it. `commit` and `rollback` with AND CHAIN: `chain`. */
      readonly name: string | undefined;
      readonly chain: boolean;
    }
  | {
      readonly kind: 'write';
      /** Those of all statements of the text; two may be of the same table. */
      readonly writes: readonly TableWrite[];
      /** How many statements the text has, each with an answer of its own. */
      readonly statements: number;
      readonly changesNames: boolean;
    }
  /** May write anything. */
  | { readonly kind: 'unknown'; readonly transactional: boolean; readonly changesSchema: boolean };
