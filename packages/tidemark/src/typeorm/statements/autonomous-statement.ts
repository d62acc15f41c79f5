/**
 * A statement that may commit by itself, so that `begin` and `end` lie around it and not around one COMMIT. While
 * it runs its session holds an advisory lock by which it is recognised as a writer.
 *
 * So does a statement that is ready, and that another subscriber does not let go: the subscriber has refused it, or
 * sends something else first and waits for that. What was prepared for it is taken back, and as long as its query
 * runner may send it, it counts as one that commits by itself, with the writes sent meanwhile.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ConnectionSession } from './connection-session.js';
import type { StatementContext } from './statement-context.js';
import { rollBackImplicit } from './transactions.js';

const PREPARES = /\bPREPARE(\s|--.*\n|\/\*[^]*?\*\/)+TRANSACTION\b/i;
const NOT_PREPARED =
  'PREPARE TRANSACTION is refused: the cache would not see when it is committed. Use COMMIT';
/** Pause between two looks at a statement that another subscriber may never let go: it was not sent at both. */
const LOOK_MS = 250;

/**
 * Where the version store cannot be reached, what the statement commits is put into the outbox: by the
 * triggers, like a stranger's, and once more when it is done, for tables without triggers. A row put there
 * beforehand shows that this is possible.
 *
 * @throws WriteRefusedError when the version store cannot be reached, under the policy `refuse` or
 *   without an outbox; Error for PREPARE TRANSACTION.
 */
export async function beforeAutonomous(
  session: ConnectionSession,
  statement: StatementContext,
): Promise<void> {
  const { client, backendPid } = session;
  const { protocol, outbox } = session.parts;
  if (PREPARES.test(statement.sql)) throw new Error(NOT_PREPARED);
  await session.lock();
  statement.state = 'autonomous';
  try {
    const record = (): Promise<void> => outbox.record(client);
    statement.publishedWrite = await protocol.begin('schema', backendPid, record);
    // The triggers have to record what it commits.
    if (statement.publishedWrite.isUncertain) await outbox.hide(client).catch(ignore);
  } catch (error) {
    statement.state = 'unprepared';
    session.unlock();
    throw error;
  }
}

/** After the statement, also where it has failed: a part may have been committed before that. */
export async function afterAutonomous(
  session: ConnectionSession,
  statement: StatementContext,
): Promise<void> {
  const { client, backendPid } = session;
  const { schema, protocol, outbox } = session.parts;
  const { publishedWrite } = statement;
  statement.state = 'unprepared';
  if (publishedWrite) protocol.endLong(publishedWrite, backendPid);
  schema.markOutdated();
  await session.refreshStatus().catch(ignore);
  const { isInTransaction } = session;
  if (isInTransaction) {
    session.log.addForGood('all-tables');
    session.hasChangedSchema = true;
  } else {
    session.endTransaction();
  }
  if (publishedWrite?.isUncertain === true) {
    // In a transaction its COMMIT records it.
    if (!isInTransaction) await outbox.record(client).catch(ignore);
    session.introduce();
    await session.introduced;
  }
  session.unlock();
}

/**
 * After a failure that the server has not reported. The statement may still run and commit: its mark stays, and is
 * settled by asking as long as the session has the lock. Nothing else is to be sent over the connection.
 */
export function abandon(session: ConnectionSession, statement: StatementContext): void {
  const { publishedWrite } = statement;
  statement.state = 'unprepared';
  if (publishedWrite) session.parts.protocol.conclude(publishedWrite, 'unknown');
  session.parts.schema.markOutdated();
  session.close();
  session.endTransaction();
}

/**
 * As long as the connection has statements: sets one aside that is ready and was not sent, and gives it up once its
 * query runner is released. Never rejects.
 */
export async function lookAfter(session: ConnectionSession): Promise<void> {
  if (session.isLookedAfter) return;
  session.isLookedAfter = true;
  const { queue } = session;
  let before: StatementContext | undefined;
  while (!queue.isEmpty) {
    await pause(LOOK_MS, undefined, { ref: false });
    const { current } = queue;
    try {
      if (current && current === before && (await queue.isUnsent(current))) {
        await setAside(session, current);
      }
    } catch {
      // The statement is slow; or the connection is gone, and the later ones fail.
      if (current && session.isGone) queue.setAside(current);
    }
    before = current;
    await giveUpReleased(session).catch(ignore);
  }
  session.isLookedAfter = false;
}

/** The later statements no longer wait for one that was not sent. */
async function setAside(session: ConnectionSession, unsent: StatementContext): Promise<void> {
  const { state, publishedWrite } = unsent;
  try {
    if (state === 'implicit-transaction') await rollBackImplicit(session);
    if (state === 'published-commit' && publishedWrite)
      session.parts.protocol.abort(publishedWrite);
    if (state === 'autonomous' || state === 'unprepared') return;
    unsent.state = 'unprepared';
    unsent.publishedWrite = undefined;
    if (!unsent.runner.isReleased) await beforeAutonomous(session, unsent);
  } finally {
    session.queue.setAside(unsent);
  }
}

/** A statement whose query runner was released is never sent. */
export async function giveUpReleased(session: ConnectionSession): Promise<void> {
  for (const unsent of session.queue.setAsideOnes) {
    if (!unsent.runner.isReleased) continue;
    session.queue.done(unsent);
    if (unsent.state === 'autonomous') await afterAutonomous(session, unsent);
  }
}

/** A connection that is gone, or whose transaction has failed: its triggers then record too much. */
function ignore(): void {
  return undefined;
}
