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
  /** A trigger of a user, or a rule: a write may change more than its statement says. */
  readonly hasTriggers: boolean;
  readonly hasRowSecurity: boolean;
  /** Partition or inheritance parent or child. */
  readonly isInherited: boolean;
  /** Whether an UPDATE or DELETE here can change other tables through foreign keys. */
  readonly cascadesTo: readonly string[];
}

export interface Catalogue {
  /** Resolves as PostgreSQL would: with the schema given, or along the search path. */
  table(schema: string | undefined, name: string): TableFacts | undefined;
  readonly tables: readonly TableFacts[];
  /** Worst volatility of all functions of that name that the call can mean; `undefined` if unknown. */
  functionVolatility(
    schema: string | undefined,
    name: string,
  ): 'immutable' | 'stable' | 'volatile' | undefined;
  /** Whether the function lives in `pg_catalog` under every meaning of the name. */
  isBuiltIn(schema: string | undefined, name: string): boolean;
  /** Changes whenever any fact above changes. */
  readonly fingerprint: string;
}
