/** Reads the catalog of a database. */
import { hash } from 'node:crypto';
import type { Volatility } from '../../core/table-facts.js';
import { bySchema, CatalogLookup, type NamedFacts } from './catalog-lookup.js';
import {
  COLUMNS,
  ENUMS,
  FUNCTIONS,
  OPERATORS,
  PRIMARY_KEYS,
  SEARCH_PATH,
  UNSURE_CASTS,
} from './catalog-queries.js';
import { isTable, readTables, type Row } from './catalog-tables.js';
import type { RunSql } from '../postgres-client.js';
import { TYPES, WRITING_FUNCTION_NAMES } from './writing-functions.js';
import {
  CAPTURES,
  FAMILIES,
  FOREIGN_KEYS,
  POLICIES,
  RELATIONS,
  VIEW_SOURCES,
} from './relation-queries.js';

const QUESTIONS = {
  path: SEARCH_PATH,
  relations: RELATIONS,
  columns: COLUMNS,
  keys: PRIMARY_KEYS,
  families: FAMILIES,
  foreignKeys: FOREIGN_KEYS,
  sources: VIEW_SOURCES,
  policies: POLICIES,
  captures: CAPTURES,
  functions: FUNCTIONS,
  operators: OPERATORS,
  casts: UNSURE_CASTS,
  enums: ENUMS,
  writing: WRITING_FUNCTION_NAMES,
  types: TYPES,
} as const;

type Question = keyof typeof QUESTIONS;

const VOLATILITIES: readonly Volatility[] = ['immutable', 'stable', 'volatile'];

/**
 * @param regionColumns the columns that split a table in addition to its primary key, by `schema.name`. A table that no
 *   migration has created yet has none.
 * @throws Error if the type of a region column has no canonical text
 */
export async function loadCatalog(
  run: RunSql,
  regionColumns: ReadonlyMap<string, readonly string[]>,
): Promise<CatalogLookup> {
  const answers = {} as Record<Question, readonly Row[]>;
  // Sequential: `run` may use a single connection.
  for (const name of Object.keys(QUESTIONS) as Question[]) {
    answers[name] = await run(QUESTIONS[name]);
  }
  const { captures: _, ...fingerprinted } = answers;
  const { path, relations, casts } = answers;
  const others = relations.filter((relation) => !isTable(relation));
  return new CatalogLookup({
    // Tables in other sessions' temporary schemas are indistinguishable, so those schemas are not searched.
    searchPath: namesOf(path[0]?.['schemas']).filter((schema) => !schema.startsWith('pg_temp')),
    tables: readTables(answers, regionColumns),
    otherRelations: bySchema(
      others.map(({ schema, name }) => [String(schema), String(name), true]),
    ),
    functions: named(answers.functions, volatilityOf),
    operators: named(answers.operators, volatilityOf),
    enums: named(answers.enums, () => true as const),
    unsureCast: casts[0] && String(casts[0]['cast']),
    writingFunctions: named(answers.writing, (row) =>
      row['is_volatile'] === true ? 'volatile' : 'stable',
    ),
    types: named(answers.types, (row) => row['is_side_effect_free'] === true),
    fingerprint: hash('sha256', JSON.stringify([fingerprinted, [...regionColumns]]), 'base64url'),
  });
}

function volatilityOf(row: Row): Volatility {
  return VOLATILITIES[Number(row['rank'])] ?? 'volatile';
}

/** Rows with a schema, names, and a fact that holds for each name. */
function named<Fact>(rows: readonly Row[], factOf: (row: Row) => Fact): NamedFacts<Fact> {
  return bySchema(
    rows.flatMap((row) =>
      namesOf(row['names']).map((name) => [String(row['schema']), name, factOf(row)] as const),
    ),
  );
}

/** A list of names from the catalog, given as JSON. */
function namesOf(value: unknown): string[] {
  return JSON.parse(String(value)) as string[];
}
