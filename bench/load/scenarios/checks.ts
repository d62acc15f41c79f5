/** Checks each contender's answers before anything is measured. */
import { constantBody } from '../applications/constant-body.js';
import type { RunningContender } from '../contenders/running.js';

const ASKED = 50;

/**
 * Asks for the first users, until they are kept, and then again and again.
 * @throws Error when an answer is another than the database's, or the contender that is to answer
 * without the database asks it, or the other way round.
 */
export async function checkAnswers(
  running: RunningContender,
  path: string,
  rows: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { title, source, hitStatus } = running.contender;
  const expected = constantBody(rows).toString();
  const ask = async (): Promise<Response> => {
    const response = await running.ask(path, { headers });
    if (response.status !== 200 || (await response.text()) !== expected) {
      throw new Error(`${title} answers ${path} with ${response.status}, other than the database`);
    }
    return response;
  };
  for (let time = 0; time < 3; time += 1) await ask();
  const before = await running.statements();
  for (let time = 0; time < ASKED; time += 1) {
    const { headers: received } = await ask();
    expectHeaders(title, received, headers, hitStatus);
  }
  const { reads } = await running.statements();
  const wanted = source === 'database' ? ASKED : 0;
  if (reads - before.reads !== wanted) {
    throw new Error(
      `${title} asked the database ${reads - before.reads} times in ${ASKED} requests, not ${wanted} times`,
    );
  }
}

function expectHeaders(
  title: string,
  received: Headers,
  sent: Readonly<Record<string, string>>,
  hitStatus: RegExp | undefined,
): void {
  const status = received.get('cache-status') ?? '';
  if (hitStatus && !hitStatus.test(status)) {
    throw new Error(`${title} did not answer as wanted: Cache-Status is ${JSON.stringify(status)}`);
  }
  const coding = sent['accept-encoding'];
  if (coding !== undefined && received.get('content-encoding') !== coding) {
    throw new Error(`${title} did not send ${coding}`);
  }
}

/** @throws Error unless the answer is 304, empty and made without the database. */
export async function checkNotModified(
  running: RunningContender,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { title } = running.contender;
  const before = await running.statements();
  const response = await running.ask(path, { headers });
  const isEmpty = (await response.arrayBuffer()).byteLength === 0;
  const { reads } = await running.statements();
  if (response.status !== 304 || !isEmpty || reads !== before.reads) {
    throw new Error(`${title} answers ${response.status} to If-None-Match`);
  }
}
