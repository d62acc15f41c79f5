/** Facts from the database's catalog about tables and functions that caching needs. */

/** A column, or all columns of the primary key together, that splits a table into regions. */
export interface Dimension {
  /** Column names joined with `,`. */
  readonly name: string;
  readonly columns: readonly string[];
}

/**
 * How the values of a column are compared. Each value of the named kinds has one canonical text. Columns of any other
 * type (`other`) cannot prove a region.
 */
export type ColumnKind = 'text' | 'integer' | 'uuid' | 'boolean' | 'other';

/**
 * How a value is read as a moment. `timestamp`: with or without a time zone; `zoned-time`: a time of day with a zone;
 * `plain`: another moment, an interval, a number or a boolean; `text`: any other.
 */
export type ColumnNature = 'timestamp' | 'zoned-time' | 'plain' | 'text';

export interface ColumnFacts {
  readonly name: string;
  readonly kind: ColumnKind;
  /** `text` if unknown. */
  readonly nature?: ColumnNature | undefined;
}

/** The triggers of one function that report writes (postgres/capture/capture-sql.ts). */
export interface CaptureTriggers {
  /** The schema of the function. */
  readonly schema: string;
  /** The body of the function; `undefined` if the function runs under other settings than it was created for. */
  readonly source: string | undefined;
  readonly count: number;
  /** Whether all of them fire in every session. */
  readonly areEnabled: boolean;
}

/** What may change more than a statement names: reading the table, writing it, or triggers that wait for COMMIT. */
export type SideEffect = 'read' | 'write' | 'commit';

export interface TableFacts {
  /** `schema.name`, as the catalog spells them. */
  readonly id: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized-view' | 'foreign';
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Primary key first, then the region columns; without those of kind `other`. */
  readonly dimensions: readonly Dimension[];
  /** The name of the primary key's dimension, if the key is a dimension. */
  readonly primaryKey: string | undefined;
  /** Found by postgres/catalog/relation-queries.ts. */
  readonly sideEffects: ReadonlySet<SideEffect>;
  /** Whether policies apply to the role of the service. */
  readonly hasRowSecurity: boolean;
  /** Whether policies apply to any role: views may read with the rights of their owner. */
  readonly isRowSecured: boolean;
  /** The USING expressions of all SELECT policies of all roles. */
  readonly policies: readonly string[];
  /** PostgreSQL empties the table after a crash, without a statement. */
  readonly isUnlogged: boolean;
  /** All other tables of its family: partitions, parents and children at any depth. */
  readonly relatives: readonly string[];
  /** The tables with a foreign key directly to this one. */
  readonly referencedBy: readonly string[];
  /** Not part of the fingerprint. */
  readonly captures: readonly CaptureTriggers[];
  /** The query of a view or materialized view; the catalog resolves its names. */
  readonly definition: string | undefined;
  /** The tables and views that the definition names. */
  readonly sources: readonly string[];
}

/** The worst of several functions counts. */
export type Volatility = 'immutable' | 'stable' | 'volatile';

/** Resolves names as PostgreSQL does: in the given schema, or along the search path. */
export interface Catalog {
  table(schema: string | undefined, name: string): TableFacts | undefined;
  readonly tables: readonly TableFacts[];
  tableById(id: string): TableFacts | undefined;
  /** Whether the name resolves to a system relation of PostgreSQL. */
  isSystemRelation(schema: string | undefined, name: string): boolean;
  /** Worst volatility of all functions of that name that the call may resolve to; `undefined` if unknown. */
  functionVolatility(schema: string | undefined, name: string): Volatility | undefined;
  /**
   * Worst volatility of the users' functions of that name that may write; `undefined`: there are none. A STABLE
   * function must not write, but may call a function that writes.
   */
  writingVolatility(
    schema: string | undefined,
    name: string,
  ): Exclude<Volatility, 'immutable'> | undefined;
  /** Whether a cast to the type calls no function that may write; `false` if unknown. */
  isTypeSideEffectFree(schema: string | undefined, name: string): boolean;
  /** Whether the type lives in `pg_catalog`. */
  isBuiltInType(schema: string | undefined, name: string): boolean;
  /** Whether every function that the name may resolve to is in `pg_catalog`. */
  isBuiltIn(schema: string | undefined, name: string): boolean;
  /**
   * Worst volatility of all operators of that name that an expression may resolve to; `undefined` if unknown.
   * PostgreSQL's built-in operators count as immutable: the few that are not depend on settings alone. An `=` that
   * replaces the built-in one for the column kinds above is volatile.
   */
  operatorVolatility(schema: string | undefined, name: string): Volatility | undefined;
  /** Whether the type is a user's enum. */
  isEnum(schema: string | undefined, name: string): boolean;
  /** A user's cast by a function that is not immutable, if there is one: any text may use it. */
  readonly unsureCast: string | undefined;
  /** Changes whenever a fact above changes that answers depend on. */
  readonly fingerprint: string;
}
