/** Reads the catalogue of a database. */
import { createHash } from 'node:crypto';
import type { Volatility } from '../core/table-facts.js';
import { bySchema, CatalogueLookup, type NamedFacts } from './catalogue-lookup.js';
import {
  COLUMNS,
  ENUMS,
  FUNCTIONS,
  OPERATORS,
  PRIMARY_KEYS,
  SEARCH_PATH,
  UNSURE_CASTS,
} from './catalogue-queries.js';
import { isTable, namesOf, readTables, textOf, type Row } from './catalogue-tables.js';
import { TYPES, WRITING_FUNCTION_NAMES } from './writing-functions.js';
import {
  CAPTURES,
  FAMILIES,
  FOREIGN_KEYS,
  POLICIES,
  RELATIONS,
  VIEW_SOURCES,
} from './relation-queries.js';

/** Runs one statement and answers its rows, always on the same connection or an equal one. */
export type RunSql = (sql: string, parameters: unknown[]) => Promise<Row[]>;

const VOLATILITIES: readonly Volatility[] = ['immutable', 'stable', 'volatile'];

/**
 * @param regionColumns the columns that split a table beside its primary key, by `schema.name`
 *   A table that is not there yet, because no migration has made it, has none.
 * @throws Error where a region column does not exist or its type has no canonical text
 */
export async function loadCatalogue(
  run: RunSql,
  regionColumns: ReadonlyMap<string, readonly string[]>,
): Promise<CatalogueLookup> {
  // One after another: `run` may stand for a single connection.
  const path = await run(SEARCH_PATH, []);
  const relations = await run(RELATIONS, []);
  const columns = await run(COLUMNS, []);
  const keys = await run(PRIMARY_KEYS, []);
  const families = await run(FAMILIES, []);
  const foreignKeys = await run(FOREIGN_KEYS, []);
  const sources = await run(VIEW_SOURCES, []);
  const policies = await run(POLICIES, []);
  const functions = await run(FUNCTIONS, []);
  const operators = await run(OPERATORS, []);
  const casts = await run(UNSURE_CASTS, []);
  const enums = await run(ENUMS, []);
  const writing = await run(WRITING_FUNCTION_NAMES, []);
  const types = await run(TYPES, []);
  const captures = await run(CAPTURES, []);
  const ofTables = { relations, columns, keys, families, foreignKeys, sources, policies };
  return new CatalogueLookup({
    // Tables of other sessions' temporary schemas cannot be told apart, so none is looked up.
    searchPath: namesOf(path[0]?.['schemas']).filter((schema) => !schema.startsWith('pg_temp')),
    tables: readTables({ ...ofTables, captures }, regionColumns),
    otherRelations: otherRelations(relations),
    functions: volatilities(functions),
    operators: volatilities(operators),
    enums: named(enums, () => true as const),
    unsureCast: casts[0] && textOf(casts[0]['cast']),
    writingFunctions: named(writing, (row) =>
      row['is_volatile'] === true ? 'volatile' : 'stable',
    ),
    types: named(types, (row) => row['is_harmless'] === true),
    fingerprint: createHash('sha256')
      .update(
        JSON.stringify([
          path,
          ofTables,
          functions,
          operators,
          casts,
          enums,
          writing,
          types,
          [...regionColumns],
        ]),
      )
      .digest('base64url'),
  });
}

function otherRelations(relations: readonly Row[]): NamedFacts<true> {
  const others = relations.filter((relation) => !isTable(relation));
  return bySchema(others.map((row) => [textOf(row['schema']), textOf(row['name']), true]));
}

function volatilities(rows: readonly Row[]): NamedFacts<Volatility> {
  return named(rows, (row) => VOLATILITIES[Number(row['rank'])] ?? 'volatile');
}

/** Rows of a schema, names and what is true of each. */
function named<Fact>(rows: readonly Row[], factOf: (row: Row) => Fact): NamedFacts<Fact> {
  return bySchema(
    rows.flatMap((row) =>
      namesOf(row['names']).map((name) => [textOf(row['schema']), name, factOf(row)] as const),
    ),
  );
}
