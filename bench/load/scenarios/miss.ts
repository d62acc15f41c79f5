/** Cold reads: every page is asked for once. */
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
import { checkAnswers } from './checks.js';
import { measure, MEASURE_COLUMNS, measureRow, type Measured } from './measurement.js';
import { besides } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';
import { UniquePages } from './unique-pages.js';

/** Rows of the page that the last table is about. */
export const COMPARED_ROWS = 100;
/** More than any contender answers in a second. */
const MAX_PER_SECOND = 3_000;

const compared = [
  noCache,
  protocolFloor,
  tidemark,
  tidemarkModules,
  bentocache,
  cacheManagerRedis,
] as const;

export const miss: Scenario = {
  id: 'miss',
  contenders: [...compared, tidemarkInProcess],
  compared,
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const { table } = bench.options;
  const contenders = bench.wanted(miss);
  const sizes: { rows: number; found: readonly Measured[] }[] = [];
  for (const rows of table ? [COMPARED_ROWS] : [COMPARED_ROWS, 1000]) {
    sizes.push({ rows, found: await missRace(bench, contenders, rows, table ? [1] : [1, 10]) });
  }
  const hundred = sizes.find(({ rows }) => rows === COMPARED_ROWS)?.found ?? [];
  return {
    tables: sizes.map(({ rows, found }) => ({
      title: `Cold misses, ${rows} rows`,
      columns: MEASURE_COLUMNS,
      rows: found.map(measureRow),
    })),
    reached: { 'miss-100': besides('p50Ms', hundred, protocolFloor.id, 1) },
  };
}

export function missRace(
  bench: Bench,
  contenders: readonly Contender[],
  rows: number,
  connections: readonly number[],
): Promise<Measured[]> {
  return together(contenders, bench.servers, { rows }, async (running) => {
    const pages = new Map<RunningContender, UniquePages>();
    for (const one of running) {
      await checkAnswers(one, `/users?limit=${rows}`, rows);
      pages.set(one, new UniquePages(rows));
    }
    const found = await measure(bench, {
      title: `miss, ${rows} rows`,
      running,
      connections,
      load: (one, _, seconds) => ({
        paths: pages.get(one)?.take(seconds * MAX_PER_SECOND) ?? [],
      }),
    });
    for (const one of found) expectColdness(one);
    return found;
  });
}

/** @throws Error when a page was answered without the database. */
function expectColdness({ running, readsPerRequest }: Measured): void {
  // Requests under way when the time is up are counted by the database alone.
  if (readsPerRequest.least >= 0.99) return;
  throw new Error(
    `${running.contender.title} read ${readsPerRequest.least} times a request, so its misses were not cold`,
  );
}
