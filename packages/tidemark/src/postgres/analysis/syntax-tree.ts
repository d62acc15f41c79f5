/**
 * PostgreSQL's syntax tree as its parser returns it: every node is an object whose only key is the node's type; zero,
 * false and empty text are omitted.
 */
import { hash } from 'node:crypto';
import {
  fingerprintSync,
  loadModule,
  parseSync,
  SqlError,
  type Node,
  type RawStmt,
} from 'libpg-query';

export type {
  A_Const,
  Alias,
  ColumnRef,
  FuncCall,
  JoinExpr,
  Node,
  ParamRef,
  RangeVar,
  RawStmt,
  SelectStmt,
  TransactionStmt,
  TypeName,
  WithClause,
} from 'libpg-query';

type KeysOf<U> = U extends unknown ? keyof U : never;
export type NodeType = KeysOf<Node>;
type FieldsOf<Type extends NodeType> = Extract<Node, Record<Type, unknown>>[Type];

const FINGERPRINT_DIGITS = 16;
const FINGERPRINT = /^[0-9a-f]{16}$/;

/** A set of names, given as one text. */
export function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/** Loads the parser, once per process; the functions below need it. */
export const loadParser: () => Promise<void> = loadModule;

/** @throws SqlError if the text is not SQL. */
export function parse(sql: string): readonly RawStmt[] {
  return parseSync(sql).stmts ?? [];
}

/**
 * Equal for texts that differ in literals, parameters and spaces alone: 16 hex digits. For a text that the parser
 * rejects, a hash of the text.
 */
export function fingerprintOf(sql: string): string {
  const fingerprint = parsedFingerprint(sql);
  return fingerprint ?? hashedFingerprint(sql);
}

/** In the form of a fingerprint. */
export function hashedFingerprint(text: string): string {
  return hash('sha256', text, 'hex').slice(0, FINGERPRINT_DIGITS);
}

function parsedFingerprint(sql: string): string | undefined {
  try {
    const fingerprint = fingerprintSync(sql);
    // It returns some messages of the parser, which may quote the text, instead of throwing them.
    return FINGERPRINT.test(fingerprint) ? fingerprint : undefined;
  } catch {
    return undefined;
  }
}

export function isParserError(error: unknown): boolean {
  return error instanceof SqlError;
}

/** The fields of the node, if it has that type. */
export function pick<Type extends NodeType>(
  node: Node | undefined,
  type: Type,
): FieldsOf<Type> | undefined {
  return (node as Partial<Record<Type, FieldsOf<Type>>> | undefined)?.[type];
}

export function typeOf(node: Node): NodeType | undefined {
  return Object.keys(node)[0] as NodeType | undefined;
}

/** The parts of a dotted name. */
export function namesOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map((node) => pick(node, 'String')?.sval ?? '');
}

/** A name and its schema. */
export interface QualifiedName {
  readonly schema: string | undefined;
  readonly name: string;
}

export function qualifiedName(nodes: readonly Node[] | undefined): QualifiedName {
  const names = namesOf(nodes);
  return { schema: names.at(-2), name: names.at(-1) ?? '' };
}

/**
 * Visits every keyed value below `tree`: nodes under their type, and plain parts such as `intoClause` under their field
 * name. All keys come from PostgreSQL's grammar.
 */
export function visit(tree: unknown, onKey: (key: string, value: object) => void): void {
  const pending: unknown[] = [tree];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value) as [string, unknown][]) {
      if (typeof child !== 'object' || child === null) continue;
      if (!Array.isArray(value)) onKey(key, child);
      pending.push(child);
    }
  }
}
