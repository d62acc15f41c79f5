import { setTimeout as delay } from 'node:timers/promises';
import { HttpConnection, NoAnswerError } from '../http-connection.js';
import type { Member } from '../member.js';
import { seconds, type Fault, type FaultContext } from './fault.js';
import { asOtherClient, ROW_ID, ROW_REGION, writeRow } from './outside-row.js';

/** A write that leaves the row as it is. */
const BODY = JSON.stringify({ region: ROW_REGION });
/** A request waits for the database for so long at the most, and some more for a busy machine. */
const ANSWER_LIMIT_MS = 20_000;

/** Between one instance and PostgreSQL nothing passes, and no connection closes: during a write, and before one. */
export const postgresSilent: Fault = {
  kind: 'PostgreSQL silent without a reset',
  part: 'postgres',
  isQuick: false,
  isAlone: true,
  run: async (context) => {
    const { random, system } = context;
    const member = random.pick(system.members);
    const { postgres } = member.routes;
    const isCut = random.chance(0.5);
    const afterMs = random.integer(0, 15);
    await asOtherClient(context, writeRow);
    try {
      const early = patch(member, context);
      await delay(afterMs);
      postgres.freeze();
      const outcomes = await Promise.all([early, patch(member, context)]);
      return `instance ${member.index}; PATCHes ${outcomes.join(', ')}`;
    } finally {
      if (isCut) postgres.cut();
      postgres.thaw();
    }
  },
};

async function patch({ port, index }: Member, { figures, nowMs }: FaultContext): Promise<string> {
  if (port === undefined) return 'not sent';
  const connection = new HttpConnection();
  const head = `PATCH /users/${ROW_ID} HTTP/1.1\r\nhost: checked\r\ncontent-type: application/json\r\n`;
  const request = `${head}content-length: ${BODY.length}\r\n\r\n${BODY}`;
  const sentAtMs = nowMs();
  try {
    const { status } = await connection.request(port, request, ANSWER_LIMIT_MS);
    return `${status} after ${seconds(nowMs() - sentAtMs)}`;
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    figures.hangs.push(`PATCH over instance ${index} while PostgreSQL is silent: ${error.cause}`);
    return error.cause;
  } finally {
    connection.close();
  }
}
