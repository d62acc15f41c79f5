/** The effects of a statement on the database, as far as its text and the catalog show them. */
import type { StatementAnalysis } from '../../core/statement-analysis.js';
import type { Catalog } from '../../core/table-facts.js';
import { isTemporary } from '../catalog/session-names.js';
import { sideEffectsOf } from './side-effects.js';
import {
  pick,
  qualifiedName,
  typeOf,
  visit,
  words,
  type Node,
  type RawStmt,
  type TransactionStmt,
} from './syntax-tree.js';
import { targetsOf } from './write-targets.js';

type TransactionCommand = Extract<StatementAnalysis, { kind: 'transaction' }>['command'];
type Unknown = Extract<StatementAnalysis, { kind: 'unknown' }>;

const NOTHING: StatementAnalysis = { kind: 'read', restsOnSchema: false, changesNames: false };

/** A text that PostgreSQL's parser rejects. */
export const UNPARSABLE: Unknown = { kind: 'unknown', transactional: false, changesSchema: true };

/** May write anything that a transaction may write. */
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

/** They change no row and no schema: some change only the physical order of rows, which no query promises. */
const CHANGES_NOTHING = words(
  `VariableShowStmt VariableSetStmt ListenStmt UnlistenStmt NotifyStmt DeallocateStmt FetchStmt
   ClosePortalStmt LockStmt ConstraintsSetStmt CheckPointStmt PrepareStmt DiscardStmt VacuumStmt
   ClusterStmt RepackStmt ReindexStmt`,
);

/** They change rows of their targets, and other rows only through functions that they call. */
export const QUERIES = words(
  `SelectStmt InsertStmt UpdateStmt DeleteStmt MergeStmt TruncateStmt RefreshMatViewStmt CopyStmt
   DeclareCursorStmt`,
);

/** They change the schema only through functions; any unlisted statement may change it itself. */
const KEEPS_SCHEMA = new Set([...QUERIES, 'ExecuteStmt', 'AlterSystemStmt']);

/** They cannot run in a transaction block, or may commit by themselves. */
const NOT_TRANSACTIONAL = words(
  `CallStmt DoStmt CreatedbStmt DropdbStmt AlterDatabaseStmt AlterSystemStmt CreateTableSpaceStmt
   DropTableSpaceStmt CreateSubscriptionStmt AlterSubscriptionStmt DropSubscriptionStmt`,
);

/** Settings that decide how unqualified names are resolved, and how texts are read. */
const NAMING_SETTINGS = words('search_path role session_authorization standard_conforming_strings');

export function classifyStatements(
  statements: readonly RawStmt[],
  catalog: Catalog,
): StatementAnalysis {
  const parts = statements.map(({ stmt }, index) => classify(stmt, { index, catalog }));
  const [first = NOTHING] = parts;
  return parts.length > 1 ? together(parts) : first;
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
  // Names that change between the statements are not resolved again.
  if (plain.some(({ changesNames: changes }) => changes)) return ANY_WRITE;
  if (plain.every(({ kind }) => kind === 'read')) {
    const rests = plain.some((part) => part.kind === 'read' && part.restsOnSchema);
    return { kind: 'read', restsOnSchema: rests, changesNames: false };
  }
  return {
    kind: 'write',
    targets: plain.flatMap((part) => (part.kind === 'write' ? part.targets : [])),
    hasUnknownTargets: plain.some((part) => part.kind === 'write' && part.hasUnknownTargets),
    changesNames: false,
  };
}

interface StatementContext {
  readonly index: number;
  readonly catalog: Catalog;
}

function classify(statement: Node | undefined, context: StatementContext): StatementAnalysis {
  const type = statement && typeOf(statement);
  if (!statement || type === undefined) return UNPARSABLE;
  const command = pick(statement, 'TransactionStmt');
  if (command) return ofTransaction(command);
  if (CHANGES_NOTHING.has(type)) {
    return { kind: 'read', restsOnSchema: false, changesNames: changesNames(statement) };
  }
  return (
    ofExplained(statement, context) ??
    ofTemporary(statement, context) ??
    (QUERIES.has(type) ? ofQuery(statement, context) : undefined) ??
    ofOther(statement, type)
  );
}

function ofTransaction({ kind, savepoint_name }: TransactionStmt): StatementAnalysis {
  return {
    kind: 'transaction',
    command: COMMANDS[kind ?? ''] ?? 'other',
    name: savepoint_name,
  };
}

/** EXPLAIN runs the statement only with ANALYZE; then it returns a plan instead of rows. */
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

/** Creates or drops only temporary tables, which no other session sees. */
function ofTemporary(statement: Node, context: StatementContext): StatementAnalysis | undefined {
  const copied = pick(statement, 'CreateTableAsStmt');
  const made = pick(statement, 'CreateStmt')?.relation ?? copied?.into?.rel;
  const drop = pick(statement, 'DropStmt');
  const dropped = drop?.removeType === 'OBJECT_TABLE' ? (drop.objects ?? []) : [];
  const isOfTemporary = made
    ? made.relpersistence === 't' || made.schemaname === 'pg_temp'
    : dropped.length > 0 && dropped.every((table) => namesTemporary(table, context.catalog));
  if (!isOfTemporary) return undefined;
  const query = copied ? classify(copied.query, context) : NOTHING;
  return query.kind === 'read' ? { ...query, changesNames: true } : undefined;
}

function namesTemporary(object: Node, catalog: Catalog): boolean {
  const { schema, name } = qualifiedName(pick(object, 'List')?.items);
  const table = catalog.table(schema, name);
  return table !== undefined && isTemporary(table);
}

/** `undefined` if the statement may change anything. */
function ofQuery(
  statement: Node,
  { index, catalog }: StatementContext,
): StatementAnalysis | undefined {
  // A program on the server may do anything.
  if (makesTable(statement) || pick(statement, 'CopyStmt')?.is_program) return undefined;
  const { targets, hasUnknown } = targetsOf(statement, catalog, index);
  const sideEffects = sideEffectsOf(statement, catalog);
  const names = changesNames(statement);
  if (targets.length > 0 || hasUnknown) {
    // A STABLE function is trusted here: a check would cost one query per write.
    const isSideEffectFree = sideEffects !== 'possible';
    const hasUnknownTargets = hasUnknown || !isSideEffectFree;
    return { kind: 'write', targets, hasUnknownTargets, changesNames: names || !isSideEffectFree };
  }
  if (sideEffects === 'possible' || sideEffects === 'promised') return undefined;
  return { kind: 'read', restsOnSchema: sideEffects === 'ruled-out', changesNames: names };
}

function ofOther(statement: Node, type: string): StatementAnalysis {
  const transactional = !NOT_TRANSACTIONAL.has(type) && !isConcurrent(statement);
  const changesSchema = !KEEPS_SCHEMA.has(type) || makesTable(statement);
  if (transactional && !changesSchema) return ANY_WRITE;
  return { kind: 'unknown', transactional, changesSchema };
}

/** SELECT ... INTO */
function makesTable(statement: Node): boolean {
  return hasPart(statement, (key) => key === 'intoClause');
}

/** CREATE INDEX CONCURRENTLY, DETACH PARTITION ... CONCURRENTLY and similar. */
function isConcurrent(statement: Node): boolean {
  return hasPart(statement, (_, part) => 'concurrent' in part && part.concurrent === true);
}

/** Whether names may resolve differently afterwards on the same connection. */
function changesNames(statement: Node): boolean {
  const setting = pick(statement, 'VariableSetStmt');
  if (setting?.kind === 'VAR_RESET_ALL') return true;
  if (setting) return NAMING_SETTINGS.has((setting.name ?? '').toLowerCase());
  if (pick(statement, 'DiscardStmt')) return true;
  return hasPart(statement, (key, part) => {
    const call = pick({ [key]: part } as unknown as Node, 'FuncCall');
    return qualifiedName(call?.funcname).name === 'set_config';
  });
}

function hasPart(statement: Node, isMeant: (key: string, part: object) => boolean): boolean {
  let found = false;
  visit(statement, (key, part) => {
    found ||= isMeant(key, part);
  });
  return found;
}
