import { setTimeout as delay } from 'node:timers/promises';
import { seconds, type Fault, type FaultContext } from './fault.js';

/** Shorter than the time limit of a command, so that no instance notices an outage of Redis. */
const REDIS_PAUSE_LIMIT_MS = 300;
const ATTEMPTS = 20;
const PAUSE_MS = 200;
const POLL_MS = 3;
/** How long other writers wait for the writer's rows, at most. */
const OPEN_LIMIT_MS = 10_000;

/**
 * Redis is stopped briefly, so that the next writer waits between its statement and COMMIT; then the writer's instance
 * is stopped instead.
 */
export const writerStopped: Fault = {
  kind: 'writer stopped between statement and COMMIT',
  part: 'instance',
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: async (context) => {
    const { nowMs, figures, hold, stopping } = context;
    const session = await stopWriter(context);
    if (session === undefined) return 'no writer was caught';
    const member = context.system.members.find((one) => one.session === session);
    const startedMs = nowMs();
    try {
      while ((await openWriters(context)).includes(session) && !stopping.aborted) {
        if (nowMs() - startedMs > OPEN_LIMIT_MS) {
          figures.hangs.push(
            `The transaction of a stopped writer is open after ${OPEN_LIMIT_MS} ms`,
          );
          break;
        }
        await hold(50);
      }
    } finally {
      member?.resume();
    }
    return `instance ${member?.index}, its transaction open for ${seconds(nowMs() - startedMs)}`;
  },
};

/** The session whose instance is now stopped during a write. */
async function stopWriter(context: FaultContext): Promise<string | undefined> {
  const { system, hold, stopping } = context;
  for (let attempt = 0; attempt < ATTEMPTS && !stopping.aborted; attempt += 1) {
    const redis = await system.redis.primary();
    redis.pause();
    const member = await pauseWriter(context).finally(() => redis.resume());
    if (member) {
      // It may have sent its COMMIT before it stopped.
      await delay(PAUSE_MS);
      if ((await openWriters(context)).includes(member.session)) return member.session;
      member.resume();
    }
    await hold(PAUSE_MS);
  }
  return undefined;
}

async function pauseWriter(context: FaultContext) {
  const { system, nowMs } = context;
  const endMs = nowMs() + REDIS_PAUSE_LIMIT_MS;
  while (nowMs() < endMs) {
    const [session] = await openWriters(context);
    const member = system.members.find((one) => one.session === session);
    if (member) {
      member.pause();
      return member;
    }
    await delay(POLL_MS);
  }
  return undefined;
}

function openWriters({ system }: FaultContext): Promise<readonly string[]> {
  return system.database.openWriters().catch(() => []);
}
