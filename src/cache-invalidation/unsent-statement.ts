/**
 * A statement that is ready, and that another subscriber does not let go: it has refused it, or sends something
 * else first and waits for that. What was prepared for it is taken back, so that nobody waits for it. As long as
 * its query runner may send it, it counts as one that commits by itself, and so do the writes sent meanwhile.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Audience } from './announcing.js';
import type { ConnectionSession } from './connection-session.js';
import { disclose, enclose } from './enclosed-statement.js';
import { rollBackOwnTransaction } from './own-transaction.js';
import { StatementContext } from './statement-context.js';

/** Pause between two looks after a statement that another subscriber may never let go. */
const LOOK_MS = 1_000;

/** Nobody waits for the statement any more. */
export async function setAside(
  session: ConnectionSession,
  unsent: StatementContext,
  audience: Audience,
): Promise<void> {
  const { state, announcement } = unsent;
  try {
    if (state === 'implicit-transaction') await rollBackOwnTransaction(session);
    if (state === 'published-commit' && announcement) audience.protocol.abort(announcement);
    if (state === 'autonomous' || state === 'unprepared') return;
    unsent.state = 'unprepared';
    unsent.announcement = undefined;
    if (!unsent.runner.isReleased) await enclose(session, unsent, audience);
  } finally {
    session.queue.setAside(unsent);
  }
}

/** Those whose query runner was released are never sent. */
export async function giveUpReleased(
  session: ConnectionSession,
  audience: Audience,
): Promise<void> {
  const { queue } = session;
  for (const unsent of queue.setAsideOnes) {
    if (!unsent.runner.isReleased) continue;
    queue.done(unsent);
    if (unsent.state === 'autonomous') await disclose(session, unsent, audience);
  }
}

/** Waits in line behind the statement, again and again, so that it is set aside where it is not sent. Never rejects. */
export async function lookAfter(
  session: ConnectionSession,
  statement: StatementContext,
  audience: Audience,
): Promise<void> {
  const { queue } = session;
  for (;;) {
    await pause(LOOK_MS, undefined, { ref: false });
    if (!queue.has(statement)) return;
    const look = new StatementContext(statement.runner, '', undefined);
    queue.join(look);
    try {
      await queue.waitForTurn(look, (unsent) => setAside(session, unsent, audience));
      await giveUpReleased(session, audience);
    } catch {
      // The connection is gone, and with it what was done over it; or the statement is slow.
      if (statement.runner.isReleased) return;
    } finally {
      queue.done(look);
    }
  }
}
