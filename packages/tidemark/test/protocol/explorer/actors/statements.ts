/** The statements of writers: their effect on the rows, and their entries in the transaction log. */
import type { TransactionLog, WrittenTable } from '../../../../src/core/write-set.js';
import type { Row, Transaction } from '../world/postgres.js';

export const USERS = 'public.users';
export const ORDERS = 'public.orders';

export type Statement =
  /** The row under the key becomes this one; `undefined`: it is deleted. */
  | {
      readonly kind: 'put';
      /** The users, if none is given. A key belongs to one table. */
      readonly table?: string;
      readonly key: number;
      readonly row: Row | undefined;
    }
  /** As `put`, by a statement whose written values are unknown. */
  | { readonly kind: 'put somehow'; readonly key: number; readonly row: Row | undefined }
  /** As `put`, by a statement whose written tables are unknown. */
  | { readonly kind: 'put anywhere'; readonly key: number; readonly row: Row | undefined }
  /** An insert: the triggers report its key. */
  | { readonly kind: 'insert'; readonly key: number; readonly row: Row }
  | { readonly kind: 'savepoint' | 'release' | 'rollback to'; readonly name: string };

/** The keys of the rows that get locked. */
export function keysOf(statements: readonly Statement[]): readonly number[] {
  return statements.flatMap((statement) => ('key' in statement ? [statement.key] : []));
}

export function execute(statement: Statement, transaction: Transaction, log: TransactionLog): void {
  switch (statement.kind) {
    case 'savepoint':
      transaction.savepoint(statement.name);
      log.savepoint(statement.name);
      break;
    case 'release':
      log.release(statement.name);
      break;
    case 'rollback to':
      transaction.rollbackTo(statement.name);
      log.rollbackTo(statement.name);
      break;
    default: {
      const before = transaction.rows.get(statement.key);
      transaction.set(statement.key, statement.row);
      log.add(writtenBy(statement, before));
    }
  }
}

function writtenBy(
  statement: Extract<Statement, { key: number }>,
  before: Row | undefined,
): WrittenTable | 'all-tables' {
  const { kind, key, row } = statement;
  if (kind === 'put anywhere') return 'all-tables';
  const regions = [before, row].flatMap((image) => (image ? [image.region] : []));
  const isReported = kind !== 'put somehow';
  return {
    table: (kind === 'put' ? statement.table : undefined) ?? USERS,
    dimensions: new Map<string, ReadonlySet<string> | 'unknown'>([
      ['id', isReported ? new Set([String(key)]) : 'unknown'],
      ['region', isReported ? new Set(regions) : 'unknown'],
    ]),
  };
}
