/** Titles of writing statements for events. Names come from the syntax tree, so no literal can be among them. */
import type { Catalog } from '../../core/table-facts.js';
import { sideEffectsOfCall } from './side-effects.js';
import { classifyStatements, QUERIES } from './statement-classifier.js';
import {
  pick,
  qualifiedName,
  typeOf,
  visit,
  type Node,
  type NodeType,
  type QualifiedName,
  type RangeVar,
  type RawStmt,
} from './syntax-tree.js';
import { writingPartsOf } from './write-targets.js';

/** In characters. */
export const MAX_TITLE = 200;

/** The commands that the name of the node's type does not spell. */
const COMMANDS: Partial<Readonly<Record<NodeType, string>>> = {
  CreateStmt: 'CREATE TABLE',
  CreateTrigStmt: 'CREATE TRIGGER',
  IndexStmt: 'CREATE INDEX',
  RefreshMatViewStmt: 'REFRESH MATERIALIZED VIEW',
  RenameStmt: 'ALTER',
  RuleStmt: 'CREATE RULE',
  ViewStmt: 'CREATE VIEW',
};

/**
 * The commands of the text with their targets, such as `UPDATE public.users`. A statement without targets has the
 * functions that it calls and that may write, such as `SELECT enter`; a change of the schema has its command alone.
 * Several statements are separated by `; `, without those that only read.
 */
export function titleOf(statements: readonly RawStmt[], catalog: Catalog): string {
  const writing = statements.filter((statement) => {
    const { kind } = classifyStatements([statement], catalog);
    return kind === 'write' || kind === 'unknown';
  });
  const titled = writing.length > 0 ? writing : statements;
  const titles = titled.map(({ stmt }) => (stmt ? titleOfStatement(stmt, catalog) : ''));
  return [...new Set(titles)].join('; ').slice(0, MAX_TITLE);
}

function titleOfStatement(statement: Node, catalog: Catalog): string {
  const type = typeOf(statement);
  if (type === undefined) return '';
  const query = pick(statement, 'ExplainStmt')?.query ?? statement;
  const isQuery = QUERIES.has(typeOf(query) ?? '');
  const parts = isQuery ? writingPartsOf(query) : [];
  if (parts.length === 0) {
    const calls = isQuery || type === 'CallStmt' ? writingCallsOf(statement, catalog) : [];
    return [commandOf(type), calls.join(', ')].join(' ').trim();
  }
  const titles = parts.map((part) => {
    const names = part.relations.map((relation) => nameOf(relation, catalog));
    return `${commandOf(part.type)} ${names.join(', ')}`;
  });
  return [...new Set(titles)].join(', ');
}

/** `AlterTableStmt` is ALTER TABLE. */
function commandOf(type: NodeType): string {
  const words = type.replace(/Stmt$/, '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
  return COMMANDS[type] ?? words.toUpperCase();
}

function nameOf(relation: RangeVar | undefined, catalog: Catalog): string {
  const { schemaname: schema, relname: name = '' } = relation ?? {};
  return catalog.table(schema, name)?.id ?? dotted({ schema, name });
}

/** The procedure of CALL, and functions that may write. */
function writingCallsOf(statement: Node, catalog: Catalog): readonly string[] {
  const names = new Set<string>();
  visit(statement, (key, value) => {
    if (key !== 'FuncCall' && key !== 'funccall') return;
    const name = qualifiedName((value as { readonly funcname?: Node[] }).funcname);
    const effects = sideEffectsOfCall(name, catalog);
    if (key === 'funccall' || effects === 'possible' || effects === 'promised') {
      names.add(dotted(name));
    }
  });
  return [...names];
}

function dotted({ schema, name }: QualifiedName): string {
  return schema === undefined ? name : `${schema}.${name}`;
}
