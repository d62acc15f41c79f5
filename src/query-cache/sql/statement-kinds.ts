/** Statements by the names of their nodes, as far as their name alone decides. */
import { visit } from './syntax-tree.js';

/** Change no row and no schema: some only the order rows lie in, which no query promises. */
export const HARMLESS_STATEMENTS: ReadonlySet<string> = new Set([
  'VariableShowStmt',
  'VariableSetStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
  'DeallocateStmt',
  'FetchStmt',
  'ClosePortalStmt',
  'LockStmt',
  'ConstraintsSetStmt',
  'CheckPointStmt',
  'PrepareStmt',
  'DiscardStmt',
  'VacuumStmt',
  'ClusterStmt',
  'RepackStmt',
  'ReindexStmt',
]);

/** Cannot run in a transaction block, or may commit by themselves. */
const NOT_TRANSACTIONAL: ReadonlySet<string> = new Set([
  'CallStmt',
  'DoStmt',
  'CreatedbStmt',
  'DropdbStmt',
  'AlterDatabaseStmt',
  'AlterSystemStmt',
  'CreateTableSpaceStmt',
  'DropTableSpaceStmt',
  'CreateSubscriptionStmt',
  'AlterSubscriptionStmt',
  'DropSubscriptionStmt',
  'TransactionStmt',
]);

/** Change what the catalogue says only through functions they call. */
const KEEPS_SCHEMA: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'TruncateStmt',
  'CopyStmt',
  'ExecuteStmt',
  'RefreshMatViewStmt',
  'AlterSystemStmt',
  'DeclareCursorStmt',
]);

/** Whether the statement can run in a transaction block and leaves it open. */
export function isTransactional(type: string, statement: object): boolean {
  if (NOT_TRANSACTIONAL.has(type)) return false;
  return !isConcurrent(statement) && !detaches(statement);
}

/**
 * Whether it changes the schema by itself. What a function does that it calls is asked of the server
 * before COMMIT.
 */
export function mayChangeSchema(type: string): boolean {
  return !KEEPS_SCHEMA.has(type);
}

/** ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY */
function detaches(statement: object): boolean {
  let found = false;
  visit(statement, (key, value) => {
    found ||= key === 'PartitionCmd' && isConcurrent(value);
  });
  return found;
}

function isConcurrent(statement: object): boolean {
  return 'concurrent' in statement && statement.concurrent === true;
}
