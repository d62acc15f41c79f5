/**
 * Autonomous statements: a statement that may commit by itself runs between `begin` and `end`, instead of one COMMIT.
 * While it runs, its session holds an advisory lock that identifies it as a writer.
 *
 * The same applies to a ready statement that another subscriber holds up: the subscriber has refused it, or sends
 * another statement first and waits for that one. Its preparation is undone. As long as its query runner may send it,
 * it counts as an autonomous statement, including the writes sent meanwhile.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { mayPrepareTransaction } from '../../postgres/analysis/prepare-transaction.js';
import type { CommitOutcome, PublishedWrite } from '../../core/write-protocol.js';
import { causeOf } from '../../core/write-set.js';
import type { ConnectionSession } from './connection-session.js';
import type { StatementContext } from './statement-context.js';
import { rollBackImplicit } from './transactions.js';

const NOT_PREPARED =
  'PREPARE TRANSACTION is refused: the cache would not see when it is committed. Use COMMIT';
/** Pause between two checks of a statement that another subscriber may never send: unsent at both, it is set aside. */
const LOOK_MS = 250;

/**
 * If the version store cannot be reached, the writes of the statement go to the outbox: through the triggers, as for
 * writers outside the service, and once more afterwards, for tables without triggers. A row inserted beforehand proves
 * that the outbox is usable.
 *
 * @throws the error of a refused write if the version store cannot be reached, under the policy `refuse` or without an outbox;
 *   Error for PREPARE TRANSACTION.
 */
export async function beforeAutonomous(
  session: ConnectionSession,
  statement: StatementContext,
): Promise<void> {
  const { client, backendPid } = session;
  const { protocol, outbox } = session.parts;
  if (mayPrepareTransaction(statement.sql)) throw new Error(NOT_PREPARED);
  await session.lock();
  statement.state = 'autonomous';
  try {
    const cause = session.isObserved ? causeOf(statement.origin, [statement.nameable]) : undefined;
    const record = (buckets: readonly number[]) => outbox.record(client, buckets);
    statement.publishedWrite = await protocol.begin('schema', backendPid, record);
    protocol.emitInvalidated(statement.publishedWrite, cause);
    // The triggers must record its writes.
    if (isUnpublished(statement.publishedWrite)) await outbox.hide(client).catch(ignore);
  } catch (error) {
    statement.state = 'unprepared';
    session.unlock();
    throw error;
  }
}

/**
 * Runs after the statement, also if it failed: a part may have committed before the failure.
 *
 * @param outcome for events.
 */
export async function afterAutonomous(
  session: ConnectionSession,
  statement: StatementContext,
  outcome: CommitOutcome,
): Promise<void> {
  const { client, backendPid } = session;
  const { schema, protocol, outbox } = session.parts;
  const { publishedWrite } = statement;
  statement.state = 'unprepared';
  if (publishedWrite) protocol.endLong(publishedWrite, backendPid, outcome);
  schema.markOutdated();
  await session.refreshStatus().catch(ignore);
  const { isInTransaction } = session;
  if (isInTransaction) {
    session.log.addForGood('all-tables');
    session.name(statement);
    session.hasChangedSchema = true;
  } else {
    session.endTransaction();
  }
  if (publishedWrite && isUnpublished(publishedWrite)) {
    // In a transaction, the COMMIT records it.
    const { unpublishedIn } = publishedWrite;
    if (!isInTransaction) await outbox.record(client, unpublishedIn).catch(ignore);
    session.introduce();
    await session.introduced;
  }
  session.unlock();
}

/**
 * Handles a failure that the server has not reported. The statement may still run and commit: its mark stays, and is
 * settled by polling as long as the session holds the lock. No further statement may be sent over the connection.
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
 * Runs while the connection has statements. Sets a ready statement aside if it was not sent, and gives it up once its
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
      // The statement is slow, or the connection is lost and the later statements fail.
      if (current && session.isGone) queue.setAside(current);
    }
    before = current;
    await giveUpReleased(session).catch(ignore);
  }
  session.isLookedAfter = false;
}

/** Sets an unsent statement aside, so that the later statements no longer wait for it. */
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

/** Gives up statements whose query runner was released: they are never sent. */
export async function giveUpReleased(session: ConnectionSession): Promise<void> {
  for (const unsent of session.queue.setAsideOnes) {
    if (!unsent.runner.isReleased) continue;
    session.queue.done(unsent);
    if (unsent.state === 'autonomous') await afterAutonomous(session, unsent, 'rolled-back');
  }
}

/** The connection is lost or its transaction has failed. Then its triggers record too much, which is safe. */
function ignore(): void {
  return undefined;
}

function isUnpublished({ unpublishedIn }: PublishedWrite): boolean {
  return unpublishedIn.length > 0;
}
