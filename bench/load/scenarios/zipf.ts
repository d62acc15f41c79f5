/** Many keys, few of them popular: 80 % and 99 % of the requests want one that is kept. */
import {
  bentocache,
  cacheManagerRedis,
  noCache,
  seedDecorator,
  tidemark,
  tidemarkInProcess,
} from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { shortNumber } from '../report/table.js';
import { checkAnswers } from './checks.js';
import { measure, MEASURE_COLUMNS, measureRow, type Measured } from './measurement.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';
import { UniquePages } from './unique-pages.js';

const ROWS = 100;
const CONNECTIONS = 100;
const POPULAR = 2_000;
const SHARES = [0.8, 0.99] as const;
/** More than any contender answers in a second, for each share. */
const MAX_PER_SECOND: Readonly<Record<number, number>> = { 0.8: 8_000, 0.99: 25_000 };

export const zipf: Scenario = {
  id: 'zipf',
  contenders: [noCache, seedDecorator, cacheManagerRedis, bentocache, tidemark, tidemarkInProcess],
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(zipf);
  return together(contenders, bench.servers, { rows: ROWS }, async (running) => {
    const uniquePages = new Map<RunningContender, UniquePages>();
    for (const one of running) {
      await checkAnswers(one, `/users?limit=${ROWS}`, ROWS);
      await one.askAll(Array.from({ length: POPULAR }, (_, key) => popularPath(key)));
      uniquePages.set(one, new UniquePages(ROWS, POPULAR));
    }
    const tables = [];
    for (const share of SHARES) {
      const count = bench.options.seconds * (MAX_PER_SECOND[share] ?? 0);
      const found = await measure(bench, {
        title: `zipf, ${share * 100} %`,
        running,
        connections: [CONNECTIONS],
        load: (one) => ({ paths: pathsOf(count, share, uniquePages.get(one)) }),
      });
      tables.push({
        title: `${share * 100} % of the requests for ${POPULAR} popular keys (Zipf), the others for new ones, ${ROWS} rows`,
        columns: [...MEASURE_COLUMNS, 'without SELECT'],
        rows: found.map((one) => [...measureRow(one), hitShare(one)]),
      });
    }
    return { tables, reached: {} };
  });
}

/** Share of the requests that were answered without the database. */
export function hitShare({ readsPerRequest }: Measured): string {
  return `${shortNumber(Math.max(0, 1 - readsPerRequest.median) * 100)} %`;
}

function pathsOf(count: number, share: number, uniquePages: UniquePages | undefined): string[] {
  return Array.from({ length: count }, () => {
    if (Math.random() < share) return popularPath(zipfRank());
    const [path = popularPath(0)] = uniquePages?.take(1) ?? [];
    return path;
  });
}

function popularPath(key: number): string {
  return `/users?limit=${ROWS}&after=${key}`;
}

/** Shares of the ranks up to each, the one of rank k being as 1 / (k + 1). */
const CUMULATED = cumulated();

function zipfRank(): number {
  const at = Math.random() * (CUMULATED.at(-1) ?? 1);
  let low = 0;
  let high = CUMULATED.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((CUMULATED[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cumulated(): readonly number[] {
  let sum = 0;
  return Array.from({ length: POPULAR }, (_, rank) => (sum += 1 / (rank + 1)));
}
