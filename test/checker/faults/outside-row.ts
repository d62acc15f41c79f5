/** A row that a fault writes past the service, and looks for over every instance. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { OutboxObjects } from '../../../packages/tidemark/src/postgres/capture/outbox-objects.js';
import { headerOf, HttpConnection, NoAnswerError, type HttpAnswer } from '../http-connection.js';
import type { Member } from '../member.js';
import { OUTSIDE_PREFIX } from '../outside-writer.js';
import type { FaultContext } from './fault.js';

/** No id that the service or an outside writer gives within a run. */
export const ROW_ID = 2_146_000_000;
export const ROW_REGION = `${OUTSIDE_PREFIX}-b`;
const REQUEST_LIMIT_MS = 30_000;
const POLL_MS = 20;
/** Limit of the wait for a hit of every instance. */
const WARM_LIMIT_MS = 10_000;
/** A table that the service does not know: for such a row of the outbox, any table may have changed. */
const UNKNOWN_TABLE = 'others.unknown';

const WRITE = `
INSERT INTO users (id, username, region, email) VALUES (${ROW_ID}, '${OUTSIDE_PREFIX}${ROW_ID}', '${ROW_REGION}', '1@ex.com')
    ON CONFLICT (id) DO UPDATE SET email = split_part(users.email, '@', 1)::int + 1 || '@ex.com'
RETURNING email`;

/** Calls `work` with a connection to the database past the service. */
export async function asOtherClient<T>(
  { system }: FaultContext,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: system.databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Writes another number into the row and returns it. */
export async function writeRow(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ email: string }>(WRITE);
  return rows[0]?.email ?? '';
}

/** The same; but the notice to the instances names no table: all may have changed. */
export async function writeAnything(client: pg.Client): Promise<string> {
  const { table, schema } = new OutboxObjects('tidemark');
  await client.query('BEGIN');
  const email = await writeRow(client);
  await client.query(`DELETE FROM ${table} WHERE transaction_id = pg_current_xact_id()`);
  await client.query(`INSERT INTO ${table} (table_name) VALUES ('${UNKNOWN_TABLE}')`);
  await client.query(`SELECT pg_notify('${schema}', '')`);
  await client.query('COMMIT');
  return email;
}

/** Reads the row over every instance until each answers it from the cache, or for a while. */
export async function warmRow(context: FaultContext): Promise<void> {
  const { members } = context.system;
  await untilAll(context, { members, limitMs: WARM_LIMIT_MS }, isHit);
}

/** Waits until the instances answer the number from the cache; returns those that have not done so in time. */
export async function untilHit(
  context: FaultContext,
  email: string,
  wait: Wait,
): Promise<readonly Member[]> {
  const late = await untilAll(context, wait, (answer) => isHit(answer) && shows(answer, email));
  return late.map(({ member }) => member);
}

/** A violation where an instance still shows an earlier number after so many milliseconds. */
export async function requireShown(
  context: FaultContext,
  email: string,
  limitMs: number,
): Promise<string> {
  const { nowMs, figures, violated, stopping } = context;
  const { members } = context.system;
  const startedMs = nowMs();
  const late = await untilAll(context, { members, limitMs }, (answer) => shows(answer, email));
  // An instance without an answer shows nothing old.
  const missing = late.filter(({ answer }) => answer?.status === 200);
  if (missing.length === 0) return `shown after ${(nowMs() - startedMs).toFixed(0)} ms`;
  if (stopping.aborted) return 'not looked for to the end';
  figures.outsideLost += 1;
  const instances = missing.map(({ member }) => member.index).join(', ');
  const text = `${limitMs} ms after the write from outside, instances ${instances} do not show ${email} of user ${ROW_ID}`;
  violated({ territory: undefined, text });
  return 'not shown';
}

function isHit({ head }: HttpAnswer): boolean {
  return (headerOf(head, 'cache-status') ?? '').includes('; hit');
}

function shows({ body }: HttpAnswer, email: string): boolean {
  return body.toString().includes(email);
}

interface Wait {
  readonly members: readonly Member[];
  readonly limitMs: number;
}

/** The last answer of an instance. */
interface Late {
  readonly member: Member;
  readonly answer: HttpAnswer | undefined;
}

/** Returns the instances whose answers are not right in time. */
async function untilAll(
  { nowMs, stopping }: FaultContext,
  { members, limitMs }: Wait,
  isRight: (answer: HttpAnswer) => boolean,
): Promise<readonly Late[]> {
  const endMs = nowMs() + limitMs;
  const late = members.map(async (member) => {
    const connection = new HttpConnection();
    try {
      for (;;) {
        const answer = await ask(connection, member);
        if (answer?.status === 200 && isRight(answer)) return [];
        if (nowMs() > endMs || stopping.aborted) return [{ member, answer }];
        await delay(POLL_MS);
      }
    } finally {
      connection.close();
    }
  });
  return (await Promise.all(late)).flat();
}

async function ask(connection: HttpConnection, { port }: Member): Promise<HttpAnswer | undefined> {
  if (port === undefined) return undefined;
  const request = `GET /users/${ROW_ID} HTTP/1.1\r\nhost: checked\r\n\r\n`;
  try {
    return await connection.request(port, request, REQUEST_LIMIT_MS);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    return undefined;
  }
}
