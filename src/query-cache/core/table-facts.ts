/** What the database's catalogue says of tables and functions, as far as caching needs it. */

/** A column, or the columns of the primary key together, that split a table into regions. */
export interface Dimension {
  /** Column names joined with `,`. */
  readonly name: string;
  readonly columns: readonly string[];
}

/**
 * How a column's values are compared. Only these give each value one canonical text; columns of
 * every other type (`other`) cannot prove a region.
 */
export type ColumnKind = 'text' | 'integer' | 'uuid' | 'boolean' | 'other';

export interface ColumnFacts {
  readonly name: string;
  readonly kind: ColumnKind;
}

export interface TableFacts {
  /** `schema.name`, as the catalogue spells them. */
  readonly id: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized-view' | 'foreign';
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Primary key first, then the region columns; only those of a kind other than `other`. */
  readonly dimensions: readonly Dimension[];
  /** The name of the primary key's dimension, where it is one. */
  readonly primaryKey: string | undefined;
  /**
   * A trigger of a user, a rule, or a default, check, policy or view definition that calls a
   * volatile function: the statement may change more than it says.
   */
  readonly hasTriggers: boolean;
  readonly hasRowSecurity: boolean;
  /** Partition or inheritance parent or child. */
  readonly isInherited: boolean;
  /** Whether an UPDATE or DELETE here can change other tables through foreign keys. */
  readonly cascadesTo: readonly string[];
}

/** The worst of several functions counts. */
export type Volatility = 'immutable' | 'stable' | 'volatile';

export interface Catalogue {
  /** Resolves as PostgreSQL would: with the schema given, or along the search path. */
  table(schema: string | undefined, name: string): TableFacts | undefined;
  readonly tables: readonly TableFacts[];
  /** Worst volatility of all functions of that name that the call can mean; `undefined` if unknown. */
  functionVolatility(schema: string | undefined, name: string): Volatility | undefined;
  /** Whether the function lives in `pg_catalog` under every meaning of the name. */
  isBuiltIn(schema: string | undefined, name: string): boolean;
  /**
   * Worst volatility of all operators of that name that an expression can mean; `undefined` if
   * unknown. PostgreSQL's own count as immutable: the few that are not depend on settings alone.
   * An `=` that replaces PostgreSQL's own for the kinds of column above is volatile.
   */
  operatorVolatility(schema: string | undefined, name: string): Volatility | undefined;
  /** Changes whenever any fact above changes. */
  readonly fingerprint: string;
}
