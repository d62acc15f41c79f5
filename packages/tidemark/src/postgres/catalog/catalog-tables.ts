/** Converts rows of PostgreSQL's catalog to facts about each table. */
import type {
  CaptureTriggers,
  ColumnFacts,
  SideEffect,
  TableFacts,
} from '../../core/table-facts.js';
import { dimensionsOf } from './dimensions.js';

export type Row = Readonly<Record<string, unknown>>;

/** The rows about relations. They name relations by object id, captures by schema and name. */
export type TableAnswers = Readonly<
  Record<
    | 'relations'
    | 'columns'
    | 'keys'
    | 'families'
    | 'foreignKeys'
    | 'sources'
    | 'policies'
    | 'captures',
    readonly Row[]
  >
>;

type ColumnRow = ColumnFacts & { readonly type: string };

const KINDS: ReadonlyMap<unknown, TableFacts['kind']> = new Map([
  ['r', 'table'],
  ['p', 'partitioned'],
  ['v', 'view'],
  ['m', 'materialized-view'],
  ['f', 'foreign'],
]);

export function isTable(relation: Row): boolean {
  return KINDS.has(relation['kind']) && relation['user_defined'] === true;
}

/**
 * @param regionColumns the columns that split a table in addition to its primary key, by `schema.name`
 * @throws Error if a region column's type has no canonical text
 */
export function readTables(
  answers: TableAnswers,
  regionColumns: ReadonlyMap<string, readonly string[]>,
): TableFacts[] {
  const columnsOf = groupedBy('relation', answers.columns);
  const keysOf = groupedBy('relation', answers.keys);
  const sourcesOf = groupedBy('relation', answers.sources);
  const policiesOf = groupedBy('relation', answers.policies);
  const capturesOf = groupedBy('table', answers.captures);
  const referencesTo = groupedBy('referenced', answers.foreignKeys);
  const familyOf = families(answers.families);
  const names = new Map(answers.relations.map((row) => [row['id'], idOf(row)]));
  const nameOf = (relation: unknown): string => names.get(relation) ?? '';
  return answers.relations.filter(isTable).map((row) => {
    const relation = row['id'];
    const id = idOf(row);
    const types = new Map<string, string>();
    const columns = new Map<string, ColumnFacts>();
    for (const column of columnsOf(relation) as readonly unknown[] as readonly ColumnRow[]) {
      const { name, kind, nature, type } = column;
      columns.set(name, { name, kind, nature });
      types.set(name, type);
    }
    const relatives = [...(familyOf.get(relation) ?? [])].filter((other) => other !== relation);
    return {
      id,
      schema: String(row['schema']),
      name: String(row['name']),
      kind: KINDS.get(row['kind']) ?? 'table',
      columns,
      ...dimensionsOf({
        id,
        columns,
        types,
        key: keysOf(relation).map((part) => String(part['name'])),
        regions: regionColumns.get(id) ?? [],
      }),
      sideEffects: new Set(JSON.parse(String(row['side_effects'])) as SideEffect[]),
      hasRowSecurity: row['row_security'] === true,
      isRowSecured: row['row_secured'] === true,
      policies: policiesOf(relation).map((policy) => String(policy['condition'])),
      isUnlogged: row['unlogged'] === true,
      relatives: relatives.map(nameOf).toSorted(),
      referencedBy: referencesTo(relation)
        .map(({ referencing }) => nameOf(referencing))
        .toSorted(),
      captures: capturesOf(id).map(captureOf),
      definition: typeof row['definition'] === 'string' ? row['definition'] : undefined,
      sources: sourcesOf(relation)
        .map((source) => nameOf(source['source']))
        .toSorted(),
    };
  });
}

export function captureOf(row: Row): CaptureTriggers {
  return {
    schema: String(row['schema']),
    source: typeof row['source'] === 'string' ? row['source'] : undefined,
    count: Number(row['count']),
    areEnabled: row['enabled'] === true,
  };
}

/** All members of each member's family, itself included. */
function families(links: readonly Row[]): ReadonlyMap<unknown, ReadonlySet<unknown>> {
  const members = new Map<unknown, Set<unknown>>();
  for (const { child, parent } of links) {
    const [ofChild, ofParent] = [members.get(child), members.get(parent)];
    const all = new Set([child, parent, ...(ofChild ?? []), ...(ofParent ?? [])]);
    for (const member of all) members.set(member, all);
  }
  return members;
}

function groupedBy(column: string, rows: readonly Row[]): (value: unknown) => readonly Row[] {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) {
    const group = groups.get(row[column]);
    if (group) group.push(row);
    else groups.set(row[column], [row]);
  }
  return (value) => groups.get(value) ?? [];
}

function idOf(relation: Row): string {
  return `${String(relation['schema'])}.${String(relation['name'])}`;
}
