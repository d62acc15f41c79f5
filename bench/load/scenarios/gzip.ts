/** Clients that accept gzip, against compressing a constant for each of them. */
import {
  nestCompressed,
  noCache,
  tidemark,
  tidemarkInProcess,
  tidemarkL2,
  tidemarkModules,
} from '../contenders/index.js';
import { ratio } from '../report/targets.js';
import { checkAnswers } from './checks.js';
import { foundOf, measure, MEASURE_COLUMNS, measureRow } from './measurement.js';
import { ofBoth } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const ROWS = 1000;
const BUSY = 100;
const PATH = `/users?limit=${ROWS}`;
const HEADERS = { 'accept-encoding': 'gzip' };

export const gzip: Scenario = {
  id: 'gzip',
  contenders: [noCache, tidemark, tidemarkModules, tidemarkL2, tidemarkInProcess, nestCompressed],
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(gzip.contenders);
  const found = await together(contenders, bench.servers, { rows: ROWS }, async (running) => {
    for (const one of running) {
      // The application without a cache has no compression either: it shows what the link gets.
      const isPlain = one.contender.id === noCache.id;
      await checkAnswers(one, PATH, ROWS, isPlain ? {} : HEADERS);
    }
    return measure(bench, {
      title: 'gzip',
      running,
      connections: [1, 10, BUSY],
      load: () => ({ paths: [PATH], headers: HEADERS }),
    });
  });
  const rate = (id: string): number | undefined => foundOf(found, id, BUSY)?.perSecond.median;
  return {
    tables: [
      {
        title: `Clients that accept gzip, ${ROWS} rows`,
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: { 'gzip-1000': ofBoth((id) => ratio(rate(id), rate(nestCompressed.id))) },
  };
}
