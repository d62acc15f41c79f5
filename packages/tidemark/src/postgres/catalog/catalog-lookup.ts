/** Resolves names as PostgreSQL does: in the given schema, or along the search path. */
import type { Catalog, TableFacts, Volatility } from '../../core/table-facts.js';
import { temporaryTables, type SessionNames } from './session-names.js';

const BUILT_IN = 'pg_catalog';

const RANK: Readonly<Record<Volatility, number>> = { immutable: 0, stable: 1, volatile: 2 };

type WritingVolatility = Exclude<Volatility, 'immutable'>;

export interface CatalogContent {
  readonly searchPath: readonly string[];
  readonly tables: readonly TableFacts[];
  /** Relations that are not users' tables, but hide tables later on the path. */
  readonly otherRelations: NamedFacts<true>;
  readonly functions: NamedFacts<Volatility>;
  readonly operators: NamedFacts<Volatility>;
  readonly enums?: NamedFacts<true>;
  readonly unsureCast?: string | undefined;
  /** Users' functions that may write. */
  readonly writingFunctions: NamedFacts<WritingVolatility>;
  /** Whether a cast to the type calls no function that may write. */
  readonly types: NamedFacts<boolean>;
  readonly fingerprint: string;
}

/** Facts by schema and name. */
export type NamedFacts<Fact> = ReadonlyMap<string, ReadonlyMap<string, Fact>>;

export class CatalogLookup implements Catalog {
  readonly searchPath: readonly string[];
  readonly tables: readonly TableFacts[];
  readonly unsureCast: string | undefined;
  readonly fingerprint: string;
  readonly #tables: NamedFacts<TableFacts>;
  readonly #tablesById: ReadonlyMap<string, TableFacts>;

  constructor(private readonly content: CatalogContent) {
    this.searchPath = content.searchPath;
    this.tables = content.tables;
    this.unsureCast = content.unsureCast;
    this.fingerprint = content.fingerprint;
    this.#tablesById = new Map(content.tables.map((table) => [table.id, table]));
    this.#tables = bySchema(content.tables.map((table) => [table.schema, table.name, table]));
  }

  /** The same catalog, with names resolved as on a given connection. */
  under(names: SessionNames): CatalogLookup {
    const tables = [...this.tables, ...temporaryTables(names)];
    return new CatalogLookup({ ...this.content, searchPath: names.searchPath, tables });
  }

  tableById(id: string): TableFacts | undefined {
    return this.#tablesById.get(id);
  }

  table(schema: string | undefined, name: string): TableFacts | undefined {
    const [owner = ''] = this.#owners(schema, name, this.#tables, this.content.otherRelations);
    return this.#tables.get(owner)?.get(name);
  }

  isSystemRelation(schema: string | undefined, name: string): boolean {
    const [owner] = this.#owners(schema, name, this.#tables, this.content.otherRelations);
    return owner === BUILT_IN || owner === 'information_schema';
  }

  functionVolatility(schema: string | undefined, name: string): Volatility | undefined {
    return this.#worst(this.content.functions, schema, name);
  }

  operatorVolatility(schema: string | undefined, name: string): Volatility | undefined {
    return this.#worst(this.content.operators, schema, name);
  }

  writingVolatility(schema: string | undefined, name: string): WritingVolatility | undefined {
    return this.#worst(this.content.writingFunctions, schema, name);
  }

  isEnum(schema: string | undefined, name: string): boolean {
    return this.#owners(schema, name, this.content.enums ?? new Map()).length > 0;
  }

  isTypeSideEffectFree(schema: string | undefined, name: string): boolean {
    const { types } = this.content;
    const [owner = ''] = this.#owners(schema, name, types);
    return types.get(owner)?.get(name) === true;
  }

  isBuiltInType(schema: string | undefined, name: string): boolean {
    return this.#owners(schema, name, this.content.types)[0] === BUILT_IN;
  }

  isBuiltIn(schema: string | undefined, name: string): boolean {
    const owners = this.#owners(schema, name, this.content.functions);
    return owners.length > 0 && owners.every((owner) => owner === BUILT_IN);
  }

  /** Overloads of one name exist in several schemas; the argument types decide which one a call means. */
  #worst<V extends Volatility>(
    facts: NamedFacts<V>,
    schema: string | undefined,
    name: string,
  ): V | undefined {
    return this.#owners(schema, name, facts)
      .map((owner) => facts.get(owner)?.get(name))
      .filter((volatility) => volatility !== undefined)
      .toSorted((a, b) => RANK[b] - RANK[a])[0];
  }

  /** The schemas that have the name in one of the facts, in search order. */
  #owners(schema: string | undefined, name: string, ...facts: NamedFacts<unknown>[]): string[] {
    const searched = schema === undefined ? this.searchPath : [schema];
    return searched.filter((owner) => facts.some((known) => known.get(owner)?.has(name) === true));
  }
}

export function bySchema<Fact>(
  facts: readonly (readonly [schema: string, name: string, fact: Fact])[],
): NamedFacts<Fact> {
  const schemas = new Map<string, Map<string, Fact>>();
  for (const [schema, name, fact] of facts) {
    const named = schemas.get(schema) ?? new Map<string, Fact>();
    schemas.set(schema, named.set(name, fact));
  }
  return schemas;
}
