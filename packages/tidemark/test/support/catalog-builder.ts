/** A catalog written down by hand, for specs without a database. */
import type {
  Catalog,
  ColumnKind,
  ColumnNature,
  SideEffect,
  TableFacts,
  Volatility,
} from '../../src/core/table-facts.js';
import {
  bySchema,
  CatalogLookup,
  type NamedFacts,
} from '../../src/postgres/catalog/catalog-lookup.js';

export interface TableSketch extends Partial<
  Omit<TableFacts, 'id' | 'schema' | 'name' | 'columns' | 'dimensions' | 'sideEffects'>
> {
  /** Column kinds by name. */
  readonly columns: Readonly<Record<string, ColumnKind>>;
  /** Dimensions by their columns joined with `,`; the first is the primary key. */
  readonly dimensions?: readonly string[];
  readonly sideEffects?: readonly SideEffect[];
}

export interface CatalogSketch {
  /** By `schema.name`. */
  readonly tables: Readonly<Record<string, TableSketch>>;
  /** By `schema.name`, beside the few of PostgreSQL below. */
  readonly functions?: Readonly<Record<string, Volatility>>;
  /** Types to which a cast calls something that may write, by `schema.name`. */
  readonly writingTypes?: readonly string[];
  readonly operators?: Readonly<Record<string, Volatility>>;
  readonly searchPath?: readonly string[];
}

const IMMUTABLE =
  'count sum max min lower upper length abs row_number unnest array_agg like_escape';
const STABLE =
  'now current_setting to_char date_trunc json_agg age to_jsonb version table_to_xml jsonb_to_recordset';
const VOLATILE = 'random nextval pg_advisory_xact_lock lo_unlink clock_timestamp set_config';
const TYPES = 'text varchar bpchar int2 int4 int8 bool uuid numeric date timestamptz json jsonb';
const OPERATORS = '= <> < <= > >= + - * / || ~~ ~~* ->> @>';

export function buildCatalog({
  tables,
  functions = {},
  operators = {},
  writingTypes = [],
  searchPath = ['pg_catalog', 'public'],
}: CatalogSketch): Catalog {
  const known = Object.entries(tables).map(([id, sketch]) => buildTable(id, sketch));
  return new CatalogLookup({
    searchPath,
    tables: known,
    otherRelations: bySchema([['pg_catalog', 'pg_class', true]]),
    functions: named({
      ...builtIn(IMMUTABLE, 'immutable'),
      ...builtIn(STABLE, 'stable'),
      ...builtIn(VOLATILE, 'volatile'),
      ...functions,
    }),
    operators: named({ ...builtIn(OPERATORS, 'immutable'), ...operators }),
    writingFunctions: bySchema(
      Object.entries(functions).flatMap(([id, volatility]) =>
        volatility === 'immutable' ? [] : [[...split(id), volatility] as const],
      ),
    ),
    types: bySchema([
      ...words(TYPES).map((name) => ['pg_catalog', name, true] as const),
      ...writingTypes.map((id) => [...split(id), false] as const),
    ]),
    fingerprint: 'sketch',
  });
}

export function buildTable(id: string, sketch: TableSketch): TableFacts {
  const [schema, name] = split(id);
  const { columns, dimensions = [], sideEffects = [], ...facts } = sketch;
  return {
    id,
    schema,
    name,
    kind: 'table',
    columns: new Map(
      Object.entries(columns).map(([column, kind]) => [
        column,
        { name: column, kind, nature: natureOf(kind) },
      ]),
    ),
    dimensions: dimensions.map((dimension) => ({ name: dimension, columns: dimension.split(',') })),
    primaryKey: dimensions[0],
    sideEffects: new Set(sideEffects),
    hasRowSecurity: false,
    isRowSecured: facts.hasRowSecurity ?? false,
    policies: [],
    isUnlogged: false,
    relatives: [],
    captures: [],
    referencedBy: [],
    definition: undefined,
    sources: [],
    ...facts,
  };
}

/** A column without a canonical kind counts as a timestamp. */
function natureOf(kind: ColumnKind): ColumnNature {
  if (kind === 'other') return 'timestamp';
  return kind === 'text' || kind === 'uuid' ? 'text' : 'plain';
}

function words(names: string): string[] {
  return names.split(' ');
}

function builtIn(names: string, volatility: Volatility): Record<string, Volatility> {
  return Object.fromEntries(words(names).map((name) => [`pg_catalog.${name}`, volatility]));
}

function named(facts: Readonly<Record<string, Volatility>>): NamedFacts<Volatility> {
  return bySchema(
    Object.entries(facts).map(([id, volatility]) => [...split(id), volatility] as const),
  );
}

function split(id: string): [schema: string, name: string] {
  const dot = id.indexOf('.');
  return [id.slice(0, dot), id.slice(dot + 1)];
}
