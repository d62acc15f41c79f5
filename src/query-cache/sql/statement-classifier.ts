/** What a statement does to the database, as far as its text and the catalogue tell. */
import type { StatementAnalysis } from '../core/statement-analysis.js';
import type { Catalogue } from '../core/table-facts.js';
import { changesNames } from './name-changes.js';
import { isWithoutHarm, restsOnSchema } from './statement-harm.js';
import { HARMLESS_STATEMENTS, isTransactional, mayChangeSchema } from './statement-kinds.js';
import {
  pick,
  typeOf,
  visit,
  type Node,
  type RawStmt,
  type TransactionStmt,
} from './syntax-tree.js';
import { isOfTemporaryTables } from './temporary-tables.js';
import { targetsOf } from './write-targets.js';

type TransactionCommand = Extract<StatementAnalysis, { kind: 'transaction' }>['command'];
type Unknown = Extract<StatementAnalysis, { kind: 'unknown' }>;

const NOTHING: StatementAnalysis = { kind: 'read', restsOnSchema: false, changesNames: false };

/** A text that PostgreSQL's parser does not take. */
export const UNPARSABLE: Unknown = {
  kind: 'unknown',
  transactional: false,
  changesSchema: true,
};

/** May write whatever a transaction may. */
export const ANY_WRITE: StatementAnalysis = {
  kind: 'write',
  targets: [],
  hasUnknownTargets: true,
  changesNames: true,
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

/** What is left of these, once the statement they hold is known, writes nothing. */
const QUERY_TYPES: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'TruncateStmt',
  'RefreshMatViewStmt',
  'CopyStmt',
  'DeclareCursorStmt',
]);

export function classifyStatements(
  statements: readonly RawStmt[],
  catalogue: Catalogue,
): StatementAnalysis {
  const [only] = statements;
  if (statements.length === 0) return NOTHING;
  if (statements.length === 1) return classify(only?.stmt, { index: 0, catalogue });
  return together(statements.map(({ stmt }, index) => classify(stmt, { index, catalogue })));
}

/** Several statements in one text. */
function together(parts: readonly StatementAnalysis[]): StatementAnalysis {
  const transactional = parts.every(
    (part) => part.kind !== 'transaction' && !(part.kind === 'unknown' && !part.transactional),
  );
  const changesSchema = parts.some((part) => part.kind === 'unknown' && part.changesSchema);
  if (!transactional || changesSchema) {
    return { kind: 'unknown', transactional, changesSchema };
  }
  const plain = parts.filter((part) => part.kind === 'read' || part.kind === 'write');
  // Names that change in between are not looked up again.
  if (plain.some(({ changesNames: changes }) => changes)) return ANY_WRITE;
  const writes = plain.filter((part) => part.kind === 'write');
  if (writes.length > 0) {
    return {
      kind: 'write',
      targets: writes.flatMap(({ targets }) => targets),
      hasUnknownTargets: writes.some(({ hasUnknownTargets }) => hasUnknownTargets),
      changesNames: false,
    };
  }
  const rests = plain.some((part) => part.kind === 'read' && part.restsOnSchema);
  return { kind: 'read', restsOnSchema: rests, changesNames: false };
}

interface StatementContext {
  readonly index: number;
  readonly catalogue: Catalogue;
}

function classify(statement: Node | undefined, context: StatementContext): StatementAnalysis {
  const type = statement && typeOf(statement);
  if (!statement || type === undefined) return UNPARSABLE;
  const command = pick(statement, 'TransactionStmt');
  if (command) return ofTransaction(command);
  if (HARMLESS_STATEMENTS.has(type)) {
    return { kind: 'read', restsOnSchema: false, changesNames: changesNames(statement) };
  }
  return (
    ofExplained(statement, context) ??
    ofTemporary(statement, context) ??
    ofQuery(statement, context) ??
    ofOther(statement, type)
  );
}

function ofOther(statement: Node, type: string): StatementAnalysis {
  const transactional = isTransactional(type, Object.values(statement)[0] as object);
  const changesSchema = mayChangeSchema(type) || makesTable(statement);
  if (transactional && !changesSchema) return ANY_WRITE;
  return { kind: 'unknown', transactional, changesSchema };
}

/** EXPLAIN runs the statement only with ANALYZE; then it answers a plan in place of rows. */
function ofExplained(statement: Node, context: StatementContext): StatementAnalysis | undefined {
  const explained = pick(statement, 'ExplainStmt');
  if (!explained) return undefined;
  const runs = explained.options?.some((option) => pick(option, 'DefElem')?.defname === 'analyze');
  if (!runs) return NOTHING;
  const analysis = classify(explained.query, context);
  if (analysis.kind !== 'write') return analysis;
  const targets = analysis.targets.map((target) => ({ ...target, countedBy: undefined }));
  return { ...analysis, targets };
}

/** Makes or drops temporary tables alone: nobody else sees them. */
function ofTemporary(statement: Node, context: StatementContext): StatementAnalysis | undefined {
  if (!isOfTemporaryTables(statement, context.catalogue)) return undefined;
  const made = pick(statement, 'CreateTableAsStmt');
  const query = made && classify(made.query, context);
  if (query && query.kind !== 'read') return undefined;
  return { kind: 'read', restsOnSchema: query?.restsOnSchema ?? false, changesNames: true };
}

/** A statement that evaluates queries; `undefined` where it is none or may change anything. */
function ofQuery(
  statement: Node,
  { index, catalogue }: StatementContext,
): StatementAnalysis | undefined {
  if (!QUERY_TYPES.has(typeOf(statement) ?? '') || makesTable(statement)) return undefined;
  // A command of the server's may do whatever it likes.
  if (pick(statement, 'CopyStmt')?.is_program) return undefined;
  const { targets, hasUnknown } = targetsOf(statement, catalogue, index);
  const isWrite = targets.length > 0 || hasUnknown;
  // That a SELECT has written nothing is asked of the server; a write would be asked about each time.
  const isHarmless = isWithoutHarm(statement, catalogue, isWrite);
  const names = changesNames(statement);
  if (isWrite) {
    const hasUnknownTargets = hasUnknown || !isHarmless;
    return { kind: 'write', targets, hasUnknownTargets, changesNames: names || !isHarmless };
  }
  if (!isHarmless) return undefined;
  return { kind: 'read', restsOnSchema: restsOnSchema(statement, catalogue), changesNames: names };
}

/** SELECT ... INTO */
function makesTable(statement: Node): boolean {
  let found = false;
  visit(statement, (key) => {
    found ||= key === 'intoClause';
  });
  return found;
}

function ofTransaction({ kind, savepoint_name, chain }: TransactionStmt): StatementAnalysis {
  return {
    kind: 'transaction',
    command: COMMANDS[kind ?? ''] ?? 'other',
    name: savepoint_name,
    chain: chain ?? false,
  };
}
