/** Cold reads: every page is asked for once, against the same application without a cache. */
import {
  noCache,
  protocolFloor,
  tidemark,
  tidemarkInProcess,
  tidemarkModules,
} from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { ratio, type Measures } from '../report/targets.js';
import { checkAnswers } from './checks.js';
import { foundOf, measure, MEASURE_COLUMNS, measureRow, type Measured } from './measurement.js';
import { ofBoth } from './measures.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';
import { UniquePages } from './unique-pages.js';

const SIZES = [100, 1000] as const;
const CONNECTIONS = [1, 10] as const;
/** More than any contender answers in a second. */
const MOST_PER_SECOND = 3_000;

export const miss: Scenario = {
  id: 'miss',
  contenders: [noCache, protocolFloor, tidemark, tidemarkModules, tidemarkInProcess],
  run,
};

async function run(bench: Bench): Promise<Findings> {
  const sizes: { rows: number; found: readonly Measured[] }[] = [];
  for (const rows of SIZES) sizes.push({ rows, found: await race(bench, rows) });
  const missRatio = (wanted: number): Measures => {
    const found = sizes.find(({ rows }) => rows === wanted)?.found ?? [];
    const time = (id: string): number | undefined => foundOf(found, id, 1)?.p50Ms.median;
    return ofBoth((id) => ratio(time(id), time(noCache.id)));
  };
  return {
    tables: sizes.map(({ rows, found }) => ({
      title: `Cold misses, ${rows} rows`,
      columns: MEASURE_COLUMNS,
      rows: found.map(measureRow),
    })),
    reached: { 'miss-100': missRatio(100), 'miss-1000': missRatio(1000) },
  };
}

async function race(bench: Bench, rows: number): Promise<Measured[]> {
  const contenders = bench.wanted(miss.contenders);
  return together(contenders, bench.servers, { rows }, async (running) => {
    const pages = new Map<RunningContender, UniquePages>();
    for (const one of running) {
      await checkAnswers(one, `/users?limit=${rows}`, rows);
      pages.set(one, new UniquePages(rows));
    }
    const found = await measure(bench, {
      title: `miss, ${rows} rows`,
      running,
      connections: CONNECTIONS,
      load: (one, _, seconds) => ({
        paths: pages.get(one)?.take(seconds * MOST_PER_SECOND) ?? [],
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
