/** Single writes, whose answers are cached, against the same statement without a cache. */
import {
  noCache,
  protocolFloor,
  tidemark,
  tidemarkInProcess,
  tidemarkModules,
} from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { ratio } from '../report/targets.js';
import { foundOf, measure, MEASURE_COLUMNS, measureRow } from './measurement.js';
import { ofBoth } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const WRITTEN = 1_000;
const EMAIL = 'changed@example.com';
const BODY = JSON.stringify({ email: EMAIL });
const HEADERS = { 'content-type': 'application/json' };

export const patch: Scenario = {
  id: 'patch',
  contenders: [noCache, protocolFloor, tidemark, tidemarkModules, tidemarkInProcess],
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(patch.contenders);
  const paths = Array.from({ length: WRITTEN }, (_, i) => `/users/${i + 1}`);
  const found = await together(contenders, bench.servers, { rows: 10 }, async (running) => {
    for (const one of running) await check(one);
    return measure(bench, {
      title: 'patch',
      running,
      connections: [1, 10],
      load: () => ({ paths, method: 'PATCH', headers: HEADERS, body: BODY }),
      // Writes find answers that they end.
      onRound: async () => {
        for (const one of running) await fill(one);
      },
    });
  });
  const time = (id: string): number | undefined => foundOf(found, id, 1)?.p50Ms.median;
  return {
    tables: [
      {
        title: `PATCH of one user, PostgreSQL ${bench.options.durable ? 'waiting' : 'not waiting'} for the disk`,
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: { patch: ofBoth((id) => ratio(time(id), time(noCache.id))) },
  };
}

/** @throws Error when the write is not answered as the others answer it. */
async function check(running: RunningContender): Promise<void> {
  await fill(running);
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

async function fill(running: RunningContender): Promise<void> {
  for (const path of ['/users?limit=1000', '/users?limit=100&region=R0']) {
    const response = await running.ask(path);
    await response.body?.cancel();
  }
}
