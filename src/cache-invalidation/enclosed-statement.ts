/**
 * A statement that may commit by itself, so that `begin` and `end` lie around it and not around one
 * COMMIT. While it runs its session holds an advisory lock by which it is recognised as a writer.
 */
import type { Audience } from './announcing.js';
import type { ConnectionSession } from './connection-session.js';
import type { RunningStatement } from './running-statement.js';

const PREPARES = /\bPREPARE\s+TRANSACTION\b/i;

export function isEnclosed({ analysis }: RunningStatement): boolean {
  return (
    (analysis?.kind === 'unknown' && !analysis.transactional) ||
    (analysis?.kind === 'transaction' && analysis.command === 'other')
  );
}

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
  statement: RunningStatement,
  audience: Audience,
): Promise<void> {
  const { protocol, outbox } = audience;
  let record = (): Promise<void> => outbox.record(session.client);
  if (session.isInTransaction && PREPARES.test(statement.sql)) {
    // Whoever commits it later tells nobody: it carries what is to be told.
    const prepared = outbox.recordPrepared(session.client);
    await prepared.catch(ignore);
    record = () => prepared;
  }
  const begin = async (): Promise<void> => {
    await session.lock();
    try {
      session.isEnclosing = true;
      statement.announcement = await protocol.begin(
        'schema',
        session.client.processID ?? 0,
        record,
      );
      // Nobody could be told: what it commits has to tell of itself.
      if (statement.announcement.isUncertain) await outbox.hide(session.client).catch(ignore);
    } catch (error) {
      session.isEnclosing = false;
      await session.unlock();
      throw error;
    }
  };
  await begin();
  const end = (): Promise<void> => disclose(session, statement, audience);
  statement.preparation = {
    giveWay: end,
    resume: async () => {
      await begin();
      return true;
    },
    abandon: end,
  };
}

/** After the statement, also where it has failed: a part may have been committed before that. */
export async function disclose(
  session: ConnectionSession,
  statement: RunningStatement,
  { schema, protocol, outbox }: Audience,
): Promise<void> {
  const { announcement } = statement;
  statement.announcement = undefined;
  session.isEnclosing = false;
  if (announcement) protocol.endLong(announcement, session.client.processID ?? 0);
  else protocol.owe('anything');
  schema.markOutdated();
  await session.refreshStatus().catch(() => undefined);
  if (session.isInTransaction) {
    session.log.addForGood('anything');
    session.hasChangedSchema = true;
  } else {
    session.endTransaction();
  }
  if (announcement?.isUncertain === true) {
    // In a transaction its COMMIT records it.
    if (!session.isInTransaction) await outbox.record(session.client).catch(ignore);
    await outbox.introduce(session.client).catch(ignore);
  }
  await session.unlock();
}

/**
 * After a failure that the server has not reported. The statement may still run and commit: its mark stays,
 * and is settled by asking as long as the session has the lock.
 */
export function leaveOpen(
  session: ConnectionSession,
  { announcement }: RunningStatement,
  { schema, protocol, outbox }: Audience,
): void {
  session.isEnclosing = false;
  if (announcement) protocol.conclude(announcement, 'unknown');
  else protocol.owe('anything');
  schema.markOutdated();
  // A text of several statements may leave its transaction open.
  session.log.addForGood('anything');
  session.hasChangedSchema = true;
  session.unlockAfterwards();
  if (announcement?.isUncertain === true) outbox.introduce(session.client).catch(ignore);
}

/** A connection that is gone, or whose transaction has failed: its triggers then record too much. */
function ignore(): void {
  return undefined;
}
