/**
 * A statement that may commit by itself, so that `begin` and `end` lie around it and not around one
 * COMMIT. While it runs its session holds an advisory lock by which it is recognised as a writer.
 */
import type { Audience } from './announcing.js';
import type { ConnectionSession } from './connection-session.js';
import type { StatementContext } from './statement-context.js';

const PREPARES = /\bPREPARE\s+TRANSACTION\b/i;

/**
 * Where the version store cannot be reached, what the statement commits is put into the outbox: by the
 * triggers, as a stranger's, and once more when it is done, for tables without triggers. That it can be
 * is shown by a row put there beforehand.
 *
 * @throws WriteRefusedError when the version store cannot be reached, under the policy `refuse` or
 *   without an outbox.
 */
export async function enclose(
  session: ConnectionSession,
  statement: StatementContext,
  { protocol, outbox }: Audience,
): Promise<void> {
  const { client } = session;
  // Whoever commits a prepared transaction later tells nobody: it carries what is to be told.
  const isPreparing = session.isInTransaction && PREPARES.test(statement.sql);
  const prepared = isPreparing ? outbox.recordPrepared(client) : undefined;
  await prepared?.catch(ignore);
  await session.lock();
  statement.state = 'autonomous';
  try {
    const record = (): Promise<void> => prepared ?? outbox.record(client);
    const announcement = await protocol.begin('schema', client.processID ?? 0, record);
    statement.announcement = announcement;
    // Nobody could be told: what it commits has to tell of itself.
    if (announcement.isUncertain) await outbox.hide(client).catch(ignore);
  } catch (error) {
    statement.state = 'unprepared';
    await session.unlock();
    throw error;
  }
}

/** After the statement, also where it has failed: a part may have been committed before that. */
export async function disclose(
  session: ConnectionSession,
  statement: StatementContext,
  { schema, protocol, outbox }: Audience,
): Promise<void> {
  const { client } = session;
  const { announcement } = statement;
  statement.state = 'unprepared';
  if (announcement) protocol.endLong(announcement, client.processID ?? 0);
  schema.markOutdated();
  await session.refreshStatus().catch(ignore);
  if (session.isInTransaction) {
    session.log.addForGood('anything');
    session.hasChangedSchema = true;
  } else {
    session.endTransaction();
  }
  if (announcement?.isUncertain === true) {
    // In a transaction its COMMIT records it.
    if (!session.isInTransaction) await outbox.record(client).catch(ignore);
    session.introduce(outbox);
    await session.introduced;
  }
  await session.unlock();
}

/**
 * After a failure that the server has not reported. The statement may still run and commit: its mark stays,
 * and is settled by asking as long as the session has the lock.
 */
export function leaveOpen(
  session: ConnectionSession,
  statement: StatementContext,
  { schema, protocol, outbox }: Audience,
): void {
  const { announcement } = statement;
  statement.state = 'unprepared';
  if (announcement) protocol.conclude(announcement, 'unknown');
  schema.markOutdated();
  // A text of several statements may leave its transaction open.
  session.log.addForGood('anything');
  session.hasChangedSchema = true;
  session.unlockAfterwards();
  if (announcement?.isUncertain === true) session.introduce(outbox);
}

/** A connection that is gone, or whose transaction has failed: its triggers then record too much. */
function ignore(): void {
  return undefined;
}
