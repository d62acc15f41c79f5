import type { DataSource } from 'typeorm';
import type { OutboxObjects } from '../../postgres/capture/outbox-objects.js';
import { sqlStateOf } from '../../postgres/sql-state.js';
import { askPrimary } from './own-question.js';

/** There is no such schema or table. */
const WITHOUT_OUTBOX: ReadonlySet<string | undefined> = new Set(['3F000', '42P01']);

/**
 * Whether writes that have committed still wait in the outbox to be published; without an outbox none does. Rejects if
 * the database does not answer, or the role may not read the outbox.
 */
export async function areWritesWaiting(
  source: DataSource,
  { table }: OutboxObjects,
): Promise<boolean> {
  try {
    const [row] = await askPrimary(source, `SELECT EXISTS (SELECT FROM ${table}) AS found`);
    return row?.['found'] === true;
  } catch (error) {
    if (WITHOUT_OUTBOX.has(sqlStateOf(error))) return false;
    throw error;
  }
}
