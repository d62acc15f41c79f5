/** Reads the catalogue of a database. */
import { createHash } from 'node:crypto';
import type {
  Catalogue,
  ColumnFacts,
  ColumnKind,
  TableFacts,
  Volatility,
} from '../core/table-facts.js';
import { bySchema, CatalogueLookup, type NamedFacts } from './catalogue-lookup.js';
import {
  CASCADES,
  COLUMNS,
  FUNCTIONS,
  OPERATORS,
  PRIMARY_KEYS,
  RELATIONS,
  SEARCH_PATH,
} from './catalogue-queries.js';
import { dimensionsOf } from './dimensions.js';

type Row = Record<string, unknown>;
/** Runs one statement and answers its rows, always on the same connection or an equal one. */
export type RunSql = (sql: string, parameters: unknown[]) => Promise<Row[]>;

const KINDS: ReadonlyMap<unknown, TableFacts['kind']> = new Map([
  ['r', 'table'],
  ['p', 'partitioned'],
  ['v', 'view'],
  ['m', 'materialized-view'],
  ['f', 'foreign'],
]);

const VOLATILITIES: readonly Volatility[] = ['immutable', 'stable', 'volatile'];

/**
 * @param regionColumns the columns that split a table beside its primary key, by `schema.name`
 *   A table that is not there yet, because no migration has made it, has none.
 * @throws Error where a region column does not exist or its type has no canonical text
 */
export async function loadCatalogue(
  run: RunSql,
  regionColumns: ReadonlyMap<string, readonly string[]>,
): Promise<Catalogue> {
  const answers: Row[][] = [];
  // One after another: `run` may stand for a single connection.
  for (const sql of [
    SEARCH_PATH,
    RELATIONS,
    COLUMNS,
    PRIMARY_KEYS,
    CASCADES,
    FUNCTIONS,
    OPERATORS,
  ]) {
    answers.push(await run(sql, []));
  }
  const [
    path = [],
    relations = [],
    columns = [],
    keys = [],
    cascades = [],
    functions = [],
    operators = [],
  ] = answers;
  const tables = readTables({ relations, columns, keys, cascades }, regionColumns);
  const schemas = JSON.parse(text(path[0]?.['schemas'])) as string[];
  return new CatalogueLookup({
    // Tables of other sessions' temporary schemas cannot be told apart, so none is looked up.
    searchPath: schemas.filter((schema) => !schema.startsWith('pg_temp')),
    tables,
    otherRelations: otherRelations(relations),
    functions: volatilities(functions),
    operators: volatilities(operators),
    fingerprint: createHash('sha256')
      .update(JSON.stringify([...answers, [...regionColumns]]))
      .digest('base64url'),
  });
}

interface TableAnswers {
  readonly relations: readonly Row[];
  readonly columns: readonly Row[];
  readonly keys: readonly Row[];
  readonly cascades: readonly Row[];
}

function readTables(
  { relations, columns, keys, cascades }: TableAnswers,
  regionColumns: ReadonlyMap<string, readonly string[]>,
): TableFacts[] {
  const columnsOf = byRelation(columns);
  const keysOf = byRelation(keys);
  const tableIds = new Map(
    relations.map((row) => [row['id'], `${text(row['schema'])}.${text(row['name'])}`]),
  );
  return relations.flatMap((row) => {
    const kind = KINDS.get(row['kind']);
    if (!kind || row['user_defined'] !== true) return [];
    const id = tableIds.get(row['id']) ?? '';
    const facts = new Map<string, ColumnFacts>();
    const types = new Map<string, string>();
    for (const column of columnsOf.get(row['id']) ?? []) {
      const name = text(column['name']);
      facts.set(name, { name, kind: column['kind'] as ColumnKind });
      types.set(name, text(column['type']));
    }
    const key = (keysOf.get(row['id']) ?? []).map((part) => text(part['name']));
    return {
      id,
      schema: text(row['schema']),
      name: text(row['name']),
      kind,
      columns: facts,
      ...dimensionsOf({ id, columns: facts, types, key, regions: regionColumns.get(id) ?? [] }),
      hasTriggers: row['triggers'] === true,
      hasRowSecurity: row['row_security'] === true,
      isInherited: row['inherited'] === true,
      cascadesTo: reachedFrom(row['id'], cascades).map((reached) => tableIds.get(reached) ?? ''),
    };
  });
}

function byRelation(rows: readonly Row[]): ReadonlyMap<unknown, readonly Row[]> {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) {
    const group = groups.get(row['relation']);
    if (group) group.push(row);
    else groups.set(row['relation'], [row]);
  }
  return groups;
}

/** The tables that foreign keys lead to, over any number of steps. */
function reachedFrom(start: unknown, cascades: readonly Row[]): unknown[] {
  const reached = new Set<unknown>();
  const pending = [start];
  for (const referenced of pending) {
    for (const cascade of cascades) {
      const referencing = cascade['referencing'];
      if (cascade['referenced'] !== referenced || reached.has(referencing)) continue;
      reached.add(referencing);
      pending.push(referencing);
    }
  }
  return [...reached];
}

function otherRelations(relations: readonly Row[]): NamedFacts<true> {
  const others = relations.filter((row) => !KINDS.has(row['kind']) || row['user_defined'] !== true);
  return bySchema(others.map((row) => [text(row['schema']), text(row['name']), true]));
}

function volatilities(rows: readonly Row[]): NamedFacts<Volatility> {
  return bySchema(
    rows.flatMap((row) => {
      const volatility = VOLATILITIES[Number(row['rank'])] ?? 'volatile';
      const names = JSON.parse(text(row['names'])) as string[];
      return names.map((name) => [text(row['schema']), name, volatility] as const);
    }),
  );
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('The catalogue gave no text where it has names.');
  return value;
}
