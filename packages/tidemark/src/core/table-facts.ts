/** Facts of the database's catalog about tables and functions, as far as caching needs them. */

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

/**
 * How a value is read as a moment. `timestamp`: one with or without a time zone; `zoned-time`: a time of
 * day with a zone; `plain`: another moment, a length of time, a number or a boolean; `text`: any other.
 */
export type ColumnNature = 'timestamp' | 'zoned-time' | 'plain' | 'text';

export interface ColumnFacts {
  readonly name: string;
  readonly kind: ColumnKind;
  /** `text` where it is not known. */
  readonly nature?: ColumnNature | undefined;
}

/** The effect of a foreign key on the table that has it. */
export interface Cascade {
  /** The referencing table, by its `id`. */
  readonly table: string;
  /** How rows there change when rows here are deleted. */
  readonly onDelete: 'delete' | 'update' | 'nothing';
  /** Whether an UPDATE here changes rows there. */
  readonly onUpdate: boolean;
}

/** Triggers that report writes (cache-invalidation/outbox/capture-sql.ts), those of one function. */
export interface CaptureTriggers {
  /** The schema of the function. */
  readonly schema: string;
  /** Its body; `undefined` where it runs under other settings than it is made for. */
  readonly source: string | undefined;
  readonly count: number;
  /** Whether all fire in every session. */
  readonly areEnabled: boolean;
}

/** How a statement may use a table; `commit`: triggers that wait for COMMIT. */
export type TableAction = 'read' | 'insert' | 'update' | 'delete' | 'truncate' | 'commit';

export interface TableFacts {
  /** `schema.name`, as the catalog spells them. */
  readonly id: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized-view' | 'foreign';
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Primary key first, then the region columns; only those of a kind other than `other`. */
  readonly dimensions: readonly Dimension[];
  /** The name of the primary key's dimension, where it is one. */
  readonly primaryKey: string | undefined;
  /** Actions that may change more than the statement says (sql/relation-queries.ts). */
  readonly sideEffects: ReadonlySet<TableAction>;
  /** Whether policies apply to the role of the service. */
  readonly hasRowSecurity: boolean;
  /** Whether policies apply to some role: views may read with the rights of their owner. */
  readonly isRowSecured: boolean;
  /** The USING expressions of all policies for SELECT, whichever role they apply to. */
  readonly policies: readonly string[];
  /** PostgreSQL empties it after a crash, and no statement says so. */
  readonly isUnlogged: boolean;
  /** All other tables of its family: partitions, parents and children over any number of steps. */
  readonly relatives: readonly string[];
  /** The effects of foreign keys to this table, one step far. */
  readonly cascades: readonly Cascade[];
  /** The tables with a foreign key to this one, one step far. */
  readonly referencedBy: readonly string[];
  /** Not part of the fingerprint. */
  readonly captures: readonly CaptureTriggers[];
  /** The query of a view or materialized view; its names mean what the catalog finds by them. */
  readonly definition: string | undefined;
  /** The tables and views that the definition names. */
  readonly sources: readonly string[];
}

/** The worst of several functions counts. */
export type Volatility = 'immutable' | 'stable' | 'volatile';

/** Names are looked up as PostgreSQL does: in the schema given, or along the search path. */
export interface Catalog {
  table(schema: string | undefined, name: string): TableFacts | undefined;
  readonly tables: readonly TableFacts[];
  tableById(id: string): TableFacts | undefined;
  /** Whether the name finds a relation of PostgreSQL's own. */
  isSystemRelation(schema: string | undefined, name: string): boolean;
  /** Worst volatility of all functions of that name that the call can mean; `undefined` if unknown. */
  functionVolatility(schema: string | undefined, name: string): Volatility | undefined;
  /**
   * Worst volatility of the functions of that name that are users' and may write; `undefined`: there
   * are none. A STABLE one must not write, but may call one that does.
   */
  writingVolatility(
    schema: string | undefined,
    name: string,
  ): Exclude<Volatility, 'immutable'> | undefined;
  /** Whether a cast to the type calls nothing that may write; `false` where it is not known. */
  isTypeHarmless(schema: string | undefined, name: string): boolean;
  /** Whether the type lives in `pg_catalog`. */
  isBuiltInType(schema: string | undefined, name: string): boolean;
  /** Whether the function lives in `pg_catalog` under every meaning of the name. */
  isBuiltIn(schema: string | undefined, name: string): boolean;
  /**
   * Worst volatility of all operators of that name that an expression can mean; `undefined` if
   * unknown. PostgreSQL's own count as immutable: the few that are not depend on settings alone.
   * An `=` that replaces PostgreSQL's own for the kinds of column above is volatile.
   */
  operatorVolatility(schema: string | undefined, name: string): Volatility | undefined;
  /** Whether the type is an enum of a user. */
  isEnum(schema: string | undefined, name: string): boolean;
  /** A cast of a user by a function that is not immutable, if there is one: any text may use it. */
  readonly unsureCast: string | undefined;
  /** Changes whenever a fact above changes that answers depend on. */
  readonly fingerprint: string;
}
