/** Hits while the page is closed, and while a browser follows it: the events of the page flow all the time. */
import { tidemark, tidemarkPage } from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { spreadText, type Table } from '../report/table.js';
import { PAGE_TOKEN } from '../applications/settings.js';
import { checkAnswers } from './checks.js';
import {
  foundOf,
  measure,
  MEASURE_COLUMNS,
  measureRow,
  ratioOf,
  type Measured,
} from './measurement.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const ROWS = 10;
const CONNECTIONS = 100;
const PATH = `/users?limit=${ROWS}`;

export const page: Scenario = { id: 'page', contenders: [tidemark, tidemarkPage], run };

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(page);
  return together(contenders, bench.servers, { rows: ROWS }, async (running) => {
    for (const one of running) await checkAnswers(one, PATH, ROWS);
    const order = {
      running,
      connections: [CONNECTIONS],
      beside: (one: RunningContender) =>
        one.contender.id === tidemarkPage.id ? follow(one) : () => Promise.resolve(),
    };
    const steady = await measure(bench, {
      ...order,
      title: 'page, 5,000/s',
      load: () => ({ paths: [PATH], perSecond: 5_000 }),
    });
    const full = await measure(bench, {
      ...order,
      title: 'page, full load',
      load: () => ({ paths: [PATH] }),
    });
    return {
      tables: [
        tableOf(
          `Hits with the page open, about 5,000 requests a second, ${ROWS} rows (times those without it: p50 ` +
            `${besideOf(steady, 'p50Ms')}, required: at most 1.03; CPU ${besideOf(steady, 'cpuMicroseconds')})`,
          steady,
        ),
        tableOf(
          `Hits with the page open, as many as one process answers, ${ROWS} rows ` +
            `(${besideOf(full, 'perSecond')} times as many as without it)`,
          full,
        ),
      ],
      reached: {},
    };
  });
}

function tableOf(title: string, found: readonly Measured[]): Table {
  return { title, columns: MEASURE_COLUMNS, rows: found.map(measureRow) };
}

/** The service with the page beside the one without. */
function besideOf(found: readonly Measured[], name: Parameters<typeof ratioOf>[0]): string {
  const of = ({ id }: { readonly id: string }) => foundOf(found, id, CONNECTIONS);
  const ratio = ratioOf(name, of(tidemarkPage), of(tidemark));
  return ratio ? spreadText(ratio) : 'not measured';
}

/** Reads the live events as the page does. Throws if they do not come. */
function follow(running: RunningContender): () => Promise<void> {
  const ending = new AbortController();
  const following = read(running, ending.signal);
  // The error is thrown at the end.
  following.catch(() => undefined);
  return async () => {
    ending.abort();
    const bytes = await following;
    if (bytes === 0) throw new Error('The page sent no events: nothing was measured');
  };
}

async function read(running: RunningContender, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  try {
    const headers = { authorization: `Bearer ${PAGE_TOKEN}` };
    const response = await running.ask('/tidemark/api/live', { headers, signal });
    if (!response.ok) throw new Error(`The page answers ${response.status}`);
    for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).byteLength;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return bytes;
}
