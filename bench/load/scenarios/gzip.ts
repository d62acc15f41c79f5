/** Clients that accept gzip, against compressing a constant for each of them. */
import {
  nestCompressed,
  noCache,
  tidemark,
  tidemarkInProcess,
  tidemarkL2,
  tidemarkModules,
} from '../contenders/index.js';
import { checkAnswers } from './checks.js';
import { measure, MEASURE_COLUMNS, measureRow } from './measurement.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const ROWS = 1000;
const PATH = `/users?limit=${ROWS}`;
const HEADERS = { 'accept-encoding': 'gzip' };

export const gzip: Scenario = {
  id: 'gzip',
  contenders: [noCache, tidemark, tidemarkModules, tidemarkL2, tidemarkInProcess, nestCompressed],
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(gzip);
  const found = await together(contenders, bench.servers, { rows: ROWS }, async (running) => {
    for (const one of running) {
      // The application without a cache has no compression either: it shows what the link gets.
      const isPlain = one.contender.id === noCache.id;
      await checkAnswers(one, PATH, ROWS, isPlain ? {} : HEADERS);
    }
    return measure(bench, {
      title: 'gzip',
      running,
      connections: [1, 10, 100],
      load: () => ({ paths: [PATH], headers: HEADERS }),
    });
  });
  return {
    tables: [
      {
        title: `Clients that accept gzip, ${ROWS} rows`,
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: {},
  };
}
