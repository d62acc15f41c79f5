import { HttpConnection, NoAnswerError } from '../http-connection.js';
import type { Member } from '../member.js';
import { seconds, type Fault, type FaultContext } from './fault.js';

/** Nobody has it. */
const ABSENT_ID = 2_145_999_999;
const BODY = '{"email":"silent@ex.com"}';
/** A request waits for the database for so long at the most, and some more for a busy machine. */
const ANSWER_LIMIT_MS = 20_000;
/** For what was sent before to be on its way. */
const SETTLE_MS = 50;

/** Between one instance and PostgreSQL nothing passes, and nobody says so. */
export const postgresSilent: Fault = {
  kind: 'PostgreSQL silent without a reset',
  part: 'postgres',
  isQuick: false,
  isAlone: true,
  run: async (context) => {
    const { random, system, hold, nowMs } = context;
    const member = random.pick(system.members);
    const { postgres } = member.routes;
    const isCut = random.chance(0.5);
    postgres.freeze();
    try {
      await hold(SETTLE_MS);
      const startedMs = nowMs();
      const outcome = await patch(member, context);
      return `instance ${member.index}; a PATCH ${outcome} after ${seconds(nowMs() - startedMs)}`;
    } finally {
      if (isCut) postgres.cut();
      postgres.thaw();
    }
  },
};

async function patch({ port, index }: Member, { figures }: FaultContext): Promise<string> {
  if (port === undefined) return 'was not sent';
  const connection = new HttpConnection();
  const head = `PATCH /users/${ABSENT_ID} HTTP/1.1\r\nhost: checked\r\ncontent-type: application/json\r\n`;
  const request = `${head}content-length: ${BODY.length}\r\n\r\n${BODY}`;
  try {
    const { status } = await connection.request(port, request, ANSWER_LIMIT_MS);
    return `was answered ${status}`;
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    figures.hangs.push(`PATCH over instance ${index} while PostgreSQL is silent: ${error.cause}`);
    return `was not answered (${error.cause})`;
  } finally {
    connection.close();
  }
}
