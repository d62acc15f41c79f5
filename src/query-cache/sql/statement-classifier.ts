/** What a statement does to the database, as far as its text and the catalogue tell. */
import type { StatementAnalysis } from '../core/statement-analysis.js';
import type { Catalogue } from '../core/table-facts.js';
import { isWithoutHarm } from './statement-harm.js';
import { HARMLESS_STATEMENTS, isTransactional, mayChangeSchema } from './statement-kinds.js';
import { pick, typeOf, type Node, type RawStmt, type TransactionStmt } from './syntax-tree.js';
import { analyseWrite } from './write-analysis.js';

type TransactionCommand = Extract<StatementAnalysis, { kind: 'transaction' }>['command'];

const READ: StatementAnalysis = { kind: 'read' };

/** A text that PostgreSQL's parser does not take. */
export const UNPARSABLE: StatementAnalysis = {
  kind: 'unknown',
  transactional: false,
  changesSchema: true,
};

const COMMANDS: Readonly<Record<string, TransactionCommand>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollback-to',
};

export function classifyStatements(
  statements: readonly RawStmt[],
  sql: string,
  catalogue: Catalogue,
): StatementAnalysis {
  const [only] = statements;
  if (statements.length === 0) return READ;
  if (statements.length === 1) return classify(only?.stmt, sql, catalogue);
  const parts = statements.map(({ stmt }) => classify(stmt, undefined, catalogue));
  return {
    kind: 'unknown',
    transactional: parts.every(
      (part) => part.kind !== 'transaction' && !(part.kind === 'unknown' && !part.transactional),
    ),
    changesSchema: parts.some((part) => part.kind === 'unknown' && part.changesSchema),
  };
}

function classify(
  statement: Node | undefined,
  sql: string | undefined,
  catalogue: Catalogue,
): StatementAnalysis {
  const type = statement && typeOf(statement);
  if (!statement || type === undefined) return UNPARSABLE;
  const command = pick(statement, 'TransactionStmt');
  if (command) return ofTransaction(command);
  if (isRead(statement, catalogue)) return READ;
  const write = analyseWrite(statement, sql, catalogue);
  if (write) return { kind: 'write', writes: [write] };
  const fields = Object.values(statement)[0] as object;
  return {
    kind: 'unknown',
    transactional: isTransactional(type, fields),
    changesSchema: mayChangeSchema(type),
  };
}

function isRead(statement: Node | undefined, catalogue: Catalogue): boolean {
  const type = statement && typeOf(statement);
  if (type === undefined) return false;
  if (HARMLESS_STATEMENTS.has(type)) return true;
  const select = pick(statement, 'SelectStmt');
  if (select) return !select.intoClause && isWithoutHarm(select, catalogue);
  const cursor = pick(statement, 'DeclareCursorStmt');
  if (cursor) return isRead(cursor.query, catalogue);
  const explained = pick(statement, 'ExplainStmt');
  if (!explained) return false;
  const runs = explained.options?.some((option) => pick(option, 'DefElem')?.defname === 'analyze');
  return !runs || isRead(explained.query, catalogue);
}

function ofTransaction({ kind, savepoint_name, chain }: TransactionStmt): StatementAnalysis {
  return {
    kind: 'transaction',
    command: COMMANDS[kind ?? ''] ?? 'other',
    name: savepoint_name,
    chain: chain ?? false,
  };
}
