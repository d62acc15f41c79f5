/** Clients that hold the answer already and ask with If-None-Match. */
import { CONSTANT_TAG } from '../applications/constant-body.js';
import {
  nestNotModified,
  tidemark,
  tidemarkInProcess,
  tidemarkL2,
  tidemarkModules,
} from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { checkAnswers, checkNotModified } from './checks.js';
import { measure, MEASURE_COLUMNS, measureRow } from './measurement.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const ROWS = 1000;
const PATH = `/users?limit=${ROWS}`;

export const notModified: Scenario = {
  id: 'not-modified',
  contenders: [tidemark, tidemarkModules, tidemarkL2, tidemarkInProcess, nestNotModified],
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(notModified);
  const found = await together(contenders, bench.servers, { rows: ROWS }, async (running) => {
    const tags = new Map<RunningContender, string>();
    for (const one of running) tags.set(one, await tagOf(one));
    return measure(bench, {
      title: 'not modified',
      running,
      connections: [1, 10, 100],
      load: (one) => ({ paths: [PATH], headers: { 'if-none-match': tags.get(one) ?? '' } }),
    });
  });
  return {
    tables: [
      {
        title: `If-None-Match answered with 304, ${ROWS} rows`,
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: {},
  };
}

async function tagOf(running: RunningContender): Promise<string> {
  let tag = CONSTANT_TAG;
  if (running.contender.source !== 'constant') {
    await checkAnswers(running, PATH, ROWS);
    const response = await running.ask(PATH);
    await response.body?.cancel();
    tag = response.headers.get('etag') ?? '';
  }
  await checkNotModified(running, PATH, { 'if-none-match': tag });
  return tag;
}
