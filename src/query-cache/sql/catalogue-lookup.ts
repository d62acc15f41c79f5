/** Looks names up as PostgreSQL does: in the schema given, or along the search path. */
import type { Catalogue, TableFacts, Volatility } from '../core/table-facts.js';

import { temporaryTables, type SessionNames } from './session-names.js';

const BUILT_IN = 'pg_catalog';

const RANK: Readonly<Record<Volatility, number>> = { immutable: 0, stable: 1, volatile: 2 };

type WritingVolatility = Exclude<Volatility, 'immutable'>;

export interface CatalogueContent {
  readonly searchPath: readonly string[];
  readonly tables: readonly TableFacts[];
  /** Relations that are no table of a user, but hide those later on the path. */
  readonly otherRelations: NamedFacts<true>;
  readonly functions: NamedFacts<Volatility>;
  readonly operators: NamedFacts<Volatility>;
  readonly enums?: NamedFacts<true>;
  readonly unsureCast?: string | undefined;
  /** Functions of users that may write. */
  readonly writingFunctions: NamedFacts<WritingVolatility>;
  /** Whether a cast to the type calls nothing that may write. */
  readonly types: NamedFacts<boolean>;
  readonly fingerprint: string;
}

/** Facts by schema and name. */
export type NamedFacts<Fact> = ReadonlyMap<string, ReadonlyMap<string, Fact>>;

export class CatalogueLookup implements Catalogue {
  readonly #tables: NamedFacts<TableFacts>;
  readonly #tablesById: ReadonlyMap<string, TableFacts>;

  constructor(private readonly content: CatalogueContent) {
    this.#tablesById = new Map(content.tables.map((table) => [table.id, table]));
    this.#tables = bySchema(content.tables.map((table) => [table.schema, table.name, table]));
  }

  /** The same catalogue where names are looked up as over a certain connection. */
  under(names: SessionNames): CatalogueLookup {
    return new CatalogueLookup({
      ...this.content,
      searchPath: names.searchPath,
      tables: [...this.content.tables, ...temporaryTables(names)],
    });
  }

  get searchPath(): readonly string[] {
    return this.content.searchPath;
  }

  get tables(): readonly TableFacts[] {
    return this.content.tables;
  }

  tableById(id: string): TableFacts | undefined {
    return this.#tablesById.get(id);
  }

  get unsureCast(): string | undefined {
    return this.content.unsureCast;
  }

  get fingerprint(): string {
    return this.content.fingerprint;
  }

  table(schema: string | undefined, name: string): TableFacts | undefined {
    for (const candidate of this.#schemas(schema)) {
      const table = this.#tables.get(candidate)?.get(name);
      if (table) return table;
      if (this.content.otherRelations.get(candidate)?.has(name)) return undefined;
    }
    return undefined;
  }

  isSystemRelation(schema: string | undefined, name: string): boolean {
    const owner = this.#schemas(schema).find(
      (candidate) =>
        this.#tables.get(candidate)?.has(name) === true ||
        this.content.otherRelations.get(candidate)?.has(name) === true,
    );
    return owner === BUILT_IN || owner === 'information_schema';
  }

  functionVolatility(schema: string | undefined, name: string): Volatility | undefined {
    return this.#worst(this.content.functions, schema, name);
  }

  operatorVolatility(schema: string | undefined, name: string): Volatility | undefined {
    return this.#worst(this.content.operators, schema, name);
  }

  isEnum(schema: string | undefined, name: string): boolean {
    const { enums } = this.content;
    return this.#schemas(schema).some((candidate) => enums?.get(candidate)?.has(name));
  }

  writingVolatility(schema: string | undefined, name: string): WritingVolatility | undefined {
    return this.#worst(this.content.writingFunctions, schema, name);
  }

  isTypeHarmless(schema: string | undefined, name: string): boolean {
    const owner = this.#ownerOfType(schema, name);
    return owner !== undefined && this.content.types.get(owner)?.get(name) === true;
  }

  isBuiltInType(schema: string | undefined, name: string): boolean {
    return this.#ownerOfType(schema, name) === BUILT_IN;
  }

  #ownerOfType(schema: string | undefined, name: string): string | undefined {
    return this.#schemas(schema).find((candidate) => this.content.types.get(candidate)?.has(name));
  }

  isBuiltIn(schema: string | undefined, name: string): boolean {
    const owners = this.#schemas(schema).filter((candidate) =>
      this.content.functions.get(candidate)?.has(name),
    );
    return owners.length > 0 && owners.every((owner) => owner === BUILT_IN);
  }

  /** Overloads of one name lie in several schemas; which one a call means depends on its types. */
  #worst<V extends Volatility>(
    facts: NamedFacts<V>,
    schema: string | undefined,
    name: string,
  ): V | undefined {
    const found = this.#schemas(schema)
      .map((candidate) => facts.get(candidate)?.get(name))
      .filter((volatility) => volatility !== undefined);
    return found.toSorted((a, b) => RANK[b] - RANK[a])[0];
  }

  #schemas(schema: string | undefined): readonly string[] {
    return schema === undefined ? this.content.searchPath : [schema];
  }
}

export function bySchema<Fact>(
  facts: readonly (readonly [schema: string, name: string, fact: Fact])[],
): NamedFacts<Fact> {
  const schemas = new Map<string, Map<string, Fact>>();
  for (const [schema, name, fact] of facts) {
    let named = schemas.get(schema);
    if (!named) schemas.set(schema, (named = new Map<string, Fact>()));
    named.set(name, fact);
  }
  return schemas;
}
