/**
 * The statement that reads and locks the rows an UPDATE or DELETE is about to change.
 *
 * In between another transaction may make more rows fit the WHERE clause, but none of the locked
 * rows less so. Hence, when the write changes as many rows as the probe saw, it changed these. That
 * holds only where the clause means the same a moment later: no subquery, no volatile function.
 */
import type { Confinement, Probe, Term } from '../core/statement-analysis.js';
import type { Catalogue, TableFacts } from '../core/table-facts.js';
import { refusalOf } from './built-in-functions.js';
import {
  parse,
  pick,
  qualifiedName,
  scan,
  visit,
  type Node,
  type ParamRef,
  type RangeVar,
  type ReturningClause,
  type ScanToken,
  type WithClause,
} from './syntax-tree.js';

export interface ProbedWrite {
  readonly sql: string;
  readonly action: 'update' | 'delete';
  readonly relation: RangeVar | undefined;
  readonly targets: readonly Node[];
  readonly where: Node | undefined;
  readonly facts: TableFacts;
  readonly catalogue: Catalogue;
  readonly confinements: readonly Confinement[];
  readonly assignments: ReadonlyMap<string, Term | undefined>;
  /** Table column by result column. */
  readonly returning: ReadonlyMap<string, string>;
  readonly returningClause: ReturningClause | undefined;
  readonly withClause: WithClause | undefined;
}

const COMMENTS: ReadonlySet<string> = new Set(['SQL_COMMENT', 'C_COMMENT']);
const PLACES: ReadonlySet<string> = new Set([
  'location',
  'list_start',
  'list_end',
  'rexpr_list_start',
  'rexpr_list_end',
]);

/** `undefined` where a probe would tell nothing new or nothing certain. */
export function probeOf(write: ProbedWrite): Probe | undefined {
  const { where, relation, facts } = write;
  if (!where || !relation || !isWorthwhile(write) || !isSteady(where, write.catalogue))
    return undefined;
  if (sharesParameters(write)) return undefined;
  const condition = conditionText(write.sql, relation.location ?? 0);
  if (!condition) return undefined;
  const name = quote(relation.alias?.aliasname ?? relation.relname ?? '');
  const columns = [...new Set(facts.dimensions.flatMap((dimension) => dimension.columns))]
    .map((column) => `${name}.${quote(column)} AS ${quote(column)}`)
    .join(', ');
  const locksKey = write.action === 'delete' || changesKey(write);
  const probe = {
    sql:
      `SELECT ${columns} FROM ${tableText(relation)} WHERE ${condition.sql} ` +
      (locksKey ? 'FOR UPDATE' : 'FOR NO KEY UPDATE'),
    parameterIndexes: condition.parameterIndexes,
  };
  return hasCondition(probe, where) ? probe : undefined;
}

/** Whether the keys bound the rows, and some other dimension's old values are not known otherwise. */
function isWorthwhile({
  facts,
  confinements,
  assignments,
  returning,
  action,
}: ProbedWrite): boolean {
  const proven = new Set(confinements.map(({ dimension }) => dimension.name));
  if (facts.primaryKey === undefined || !proven.has(facts.primaryKey)) return false;
  const returned = new Set(returning.values());
  return facts.dimensions.some(({ name, columns }) => {
    const isReturned = columns.every(
      (column) => returned.has(column) && (action === 'delete' || !assignments.has(column)),
    );
    return !proven.has(name) && !isReturned;
  });
}

/** Whether the condition says of a row whose columns stay what it said a moment ago. */
function isSteady(where: Node, catalogue: Catalogue): boolean {
  let steady = true;
  visit(where, (key, value) => {
    const node = { [key]: value } as unknown as Node;
    const call = pick(node, 'FuncCall');
    const operator = pick(node, 'A_Expr')?.name;
    const { schema, name } = qualifiedName(operator);
    const volatility = operator && catalogue.operatorVolatility(schema, name);
    steady &&= key !== 'SubLink' && (volatility === undefined || volatility === 'immutable');
    const { funcname, args = [] } = call ?? {};
    steady &&= !call || refusalOf(qualifiedName(funcname), args.length, catalogue) === undefined;
  });
  return steady;
}

/** A parameter that occurs elsewhere too may have its type from there. */
function sharesParameters(write: ProbedWrite): boolean {
  const inCondition = parameterNumbers(write.where);
  const elsewhere = [write.targets, write.returningClause, write.withClause];
  return elsewhere.some((part) =>
    [...parameterNumbers(part)].some((number) => inCondition.has(number)),
  );
}

function parameterNumbers(tree: unknown): ReadonlySet<number> {
  const numbers = new Set<number>();
  visit(tree, (key, value) => {
    if (key === 'ParamRef') numbers.add((value as ParamRef).number ?? 0);
  });
  return numbers;
}

function changesKey({ facts, assignments }: ProbedWrite): boolean {
  const key = facts.dimensions.find(({ name }) => name === facts.primaryKey);
  return key?.columns.some((column) => assignments.has(column)) ?? false;
}

/** The text between WHERE and RETURNING or the end, its parameters numbered anew. */
function conditionText(sql: string, relationStart: number): Probe | undefined {
  const indexes: number[] = [];
  let text = '';
  let depth = 0;
  let isInside = false;
  let before: ScanToken | undefined;
  for (const token of scan(sql).tokens) {
    if (token.start < relationStart || COMMENTS.has(token.tokenName)) continue;
    const isKeyword = depth === 0 && token.keywordKind !== 0 && before?.text !== '.';
    const word = isKeyword ? token.text.toUpperCase() : '';
    if (isInside && depth === 0 && (word === 'RETURNING' || token.text === ';')) break;
    if (isInside) {
      if (text !== '' && before && token.start > before.end) text += ' ';
      text += token.tokenName === 'PARAM' ? renumbered(token.text, indexes) : token.text;
    } else if (word === 'WHERE') isInside = true;
    if (token.text === '(' || token.text === '[') depth += 1;
    if (token.text === ')' || token.text === ']') depth -= 1;
    before = token;
  }
  return text === '' ? undefined : { sql: text, parameterIndexes: indexes };
}

function renumbered(parameter: string, indexes: number[]): string {
  const index = Number(parameter.slice(1)) - 1;
  if (!indexes.includes(index)) indexes.push(index);
  return `$${indexes.indexOf(index) + 1}`;
}

/** Whether the probe's WHERE clause is that of the write, so that no text can be cut wrongly. */
function hasCondition({ sql, parameterIndexes }: Probe, where: Node): boolean {
  try {
    const [statement, ...more] = parse(sql);
    const select = pick(statement?.stmt, 'SelectStmt');
    const isOne = more.length === 0 && select?.lockingClause?.length === 1;
    return isOne && shape(select.whereClause, parameterIndexes) === shape(where, undefined);
  } catch {
    return false;
  }
}

/** The tree without the places in the text; parameters as the write numbers them. */
function shape(tree: unknown, parameterIndexes: readonly number[] | undefined): string {
  return JSON.stringify(tree, (key, value: unknown) => {
    if (PLACES.has(key)) return undefined;
    if (key !== 'ParamRef' || !parameterIndexes) return value;
    const number = (value as ParamRef).number ?? 0;
    return { ...(value as ParamRef), number: (parameterIndexes[number - 1] ?? -1) + 1 };
  });
}

function tableText({ schemaname, relname = '', alias, inh }: RangeVar): string {
  const only = inh ? '' : 'ONLY ';
  const schema = schemaname === undefined ? '' : `${quote(schemaname)}.`;
  const rename = alias?.aliasname === undefined ? '' : ` AS ${quote(alias.aliasname)}`;
  return only + schema + quote(relname) + rename;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
