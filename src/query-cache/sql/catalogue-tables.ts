/** From rows of PostgreSQL's catalogue to what is known of each table. */
import type {
  CaptureTriggers,
  Cascade,
  ColumnFacts,
  ColumnKind,
  ColumnNature,
  TableAction,
  TableFacts,
} from '../core/table-facts.js';
import { dimensionsOf } from './dimensions.js';

export type Row = Readonly<Record<string, unknown>>;

/** The answers to the questions about relations; rows name relations by their object id. */
export interface TableAnswers {
  readonly relations: readonly Row[];
  readonly columns: readonly Row[];
  readonly keys: readonly Row[];
  readonly families: readonly Row[];
  readonly foreignKeys: readonly Row[];
  readonly sources: readonly Row[];
  readonly policies: readonly Row[];
  /** These name tables by schema and name. */
  readonly captures: readonly Row[];
}

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
 * @param regionColumns the columns that split a table beside its primary key, by `schema.name`
 * @throws Error where a region column's type has no canonical text
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
    const facts = new Map<string, ColumnFacts>();
    const types = new Map<string, string>();
    for (const column of columnsOf.get(relation) ?? []) {
      const name = textOf(column['name']);
      const nature = column['nature'] as ColumnNature;
      facts.set(name, { name, kind: column['kind'] as ColumnKind, nature });
      types.set(name, textOf(column['type']));
    }
    const key = (keysOf.get(relation) ?? []).map((part) => textOf(part['name']));
    const references = referencesTo.get(relation) ?? [];
    const relatives = [...(familyOf.get(relation) ?? [])]
      .filter((member) => member !== relation)
      .map(nameOf);
    return {
      id,
      schema: textOf(row['schema']),
      name: textOf(row['name']),
      kind: KINDS.get(row['kind']) ?? 'table',
      columns: facts,
      ...dimensionsOf({ id, columns: facts, types, key, regions: regionColumns.get(id) ?? [] }),
      sideEffects: new Set(namesOf(row['side_effects']) as TableAction[]),
      hasRowSecurity: row['row_security'] === true,
      isRowSecured: row['row_secured'] === true,
      policies: (policiesOf.get(relation) ?? []).map((policy) => textOf(policy['condition'])),
      isUnlogged: row['unlogged'] === true,
      relatives: relatives.toSorted(),
      cascades: references.flatMap((foreignKey) => cascadeOf(foreignKey, nameOf) ?? []),
      referencedBy: [
        ...new Set(references.map((reference) => nameOf(reference['referencing']))),
      ].toSorted(),
      captures: (capturesOf.get(id) ?? []).map(captureOf),
      definition: typeof row['definition'] === 'string' ? row['definition'] : undefined,
      sources: (sourcesOf.get(relation) ?? []).map((source) => nameOf(source['source'])).toSorted(),
    };
  });
}

function cascadeOf(foreignKey: Row, nameOf: (relation: unknown) => string): Cascade | undefined {
  const onDelete = foreignKey['on_delete'] as Cascade['onDelete'];
  const onUpdate = foreignKey['on_update'] === true;
  if (onDelete === 'nothing' && !onUpdate) return undefined;
  return { table: nameOf(foreignKey['referencing']), onDelete, onUpdate };
}

export function captureOf(row: Row): CaptureTriggers {
  return {
    schema: textOf(row['schema']),
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

function groupedBy(column: string, rows: readonly Row[]): ReadonlyMap<unknown, readonly Row[]> {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) {
    const group = groups.get(row[column]);
    if (group) group.push(row);
    else groups.set(row[column], [row]);
  }
  return groups;
}

function idOf(relation: Row): string {
  return `${textOf(relation['schema'])}.${textOf(relation['name'])}`;
}

/** A list of names that the catalogue gave as JSON. */
export function namesOf(value: unknown): string[] {
  return JSON.parse(textOf(value)) as string[];
}

export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new Error('The catalogue gave no text where it has names.');
  return value;
}
