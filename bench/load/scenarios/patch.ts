/** Single writes, whose answers are stored. */
import type { Contender } from '../contenders/contender.js';
import {
  bentocache,
  cacheManagerRedis,
  noCache,
  protocolFloor,
  tidemark,
  tidemarkInProcess,
  tidemarkModules,
} from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { expectPagesEnded, storePages } from './kept-pages.js';
import { measure, MEASURE_COLUMNS, measureRow, type Measured } from './measurement.js';
import { besides } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const WRITTEN = 1_000;
const PATHS = Array.from({ length: WRITTEN }, (_, i) => `/users/${i + 1}`);
const EMAIL = 'changed@example.com';
const BODY = JSON.stringify({ email: EMAIL });
const HEADERS = { 'content-type': 'application/json' };

const compared = [
  noCache,
  protocolFloor,
  tidemark,
  tidemarkModules,
  bentocache,
  cacheManagerRedis,
] as const;

export const patch: Scenario = {
  id: 'patch',
  contenders: [...compared, tidemarkInProcess],
  compared,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const { table, durable } = bench.options;
  const found = await patchRace(bench, bench.wanted(patch), table ? [1] : [1, 10]);
  return {
    tables: [
      {
        title: `PATCH of one user, PostgreSQL ${durable ? 'waiting' : 'not waiting'} for the disk`,
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: { patch: besides('p50Ms', found, protocolFloor.id, 1) },
  };
}

export function patchRace(
  bench: Bench,
  contenders: readonly Contender[],
  connections: readonly number[],
): Promise<Measured[]> {
  return together(contenders, bench.servers, { rows: 10 }, async (running) => {
    for (const one of running) await expectPagesEnded(one, () => check(one));
    return measure(bench, {
      title: 'patch',
      running,
      connections,
      load: () => ({ paths: PATHS, method: 'PATCH', headers: HEADERS, body: BODY }),
      // Writes find answers that they end.
      onRound: () => storePages(running),
    });
  });
}

/** @throws Error when the write is not answered as the others answer it. */
async function check(running: RunningContender): Promise<void> {
  const init = { method: 'PATCH', headers: HEADERS, body: BODY };
  const response = await running.ask('/users/5', init);
  const expected = { id: 5, username: 'user4', region: 'R4', email: EMAIL };
  const answer = await response.text();
  if (response.status !== 200 || answer !== JSON.stringify(expected)) {
    throw new Error(
      `${running.contender.title} answers a PATCH with ${response.status}: ${answer}`,
    );
  }
}
