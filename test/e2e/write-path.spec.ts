/**
 * Real: PostgreSQL, Redis, the built service. The number of files that a reader has to open to follow a PATCH from the
 * request to the end of its mark. Background work is excluded: it does not occur in each of several PATCHes.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { ServiceProcess } from '../support/service-process.js';
import { createDatabase } from '../support/shared-postgres.js';

/** Nine of them make and count the event that names cause and regions of a write. */
const MAX_FILES = 54;
const PROGRAM = join(import.meta.dirname, 'support/traced-service.mjs');
const PROTOCOL = 'packages/tidemark/dist/core/write-protocol.js';
const WARM_UP = 50;
const COUNTED = 20;
/** On a busy machine, background work may occur in each of the first rounds. */
const MAX_COUNTED = 200;
/** Longer than `end` takes, which the answer does not wait for. */
const END_MS = 30;

let redis: RedisServer;
let service: ServiceProcess;
let tracePort: number;
let path: string;

beforeAll(async () => {
  redis = await RedisServer.start();
  tracePort = await freePort();
  service = await ServiceProcess.start({
    program: PROGRAM,
    env: {
      DATABASE_URL: await createDatabase(),
      REDIS_URL: redis.url,
      SEED_USERS: '0',
      LOG_LEVEL: 'warn',
      TRACE_PORT: String(tracePort),
    },
  });
  const user = { username: 'ada', region: 'EU', email: 'ada@example.com' };
  const created = await send('POST', '/users', user);
  path = `/users/${String(((await created.json()) as { id: number }).id)}`;
});

afterAll(async () => {
  await service?.stop();
  await redis?.stop();
});

function send(method: string, to: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return service.fetch(to, { method, headers, body: JSON.stringify(body) });
}

async function patch(round: number): Promise<void> {
  const answer = await send('PATCH', path, { username: `ada ${round}` });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  await delay(END_MS);
}

/** Since it was asked last. */
async function entered(): Promise<readonly string[]> {
  const answer = await fetch(`http://127.0.0.1:${tracePort}`);
  return (await answer.json()) as string[];
}

it(`a PATCH enters at most ${MAX_FILES} files`, async () => {
  for (let round = 0; round < WARM_UP; round += 1) await patch(round);
  await entered();
  let files: readonly string[] | undefined;
  const isOver = (rounds: number): boolean =>
    rounds >= ((files?.length ?? 0) > MAX_FILES ? MAX_COUNTED : COUNTED);
  for (let round = 0; !isOver(round); round += 1) {
    await patch(WARM_UP + round);
    const now = await entered();
    files = files?.filter((file) => now.includes(file)) ?? now;
  }
  expect(files).toEqual(expect.arrayContaining(['dist/users/users.controller.js', PROTOCOL]));
  expect(files?.slice(MAX_FILES)).toEqual([]);
});
