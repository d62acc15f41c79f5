/** Hits while the page is closed, and while a browser follows it: the events of the page flow all the time. */
import { tidemark, tidemarkPage } from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { spreadText } from '../report/table.js';
import { PAGE_TOKEN } from '../applications/settings.js';
import { checkAnswers } from './checks.js';
import { foundOf, measure, MEASURE_COLUMNS, measureRow, ratioOf } from './measurement.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { together } from './together.js';

const ROWS = 10;
const CONNECTIONS = 100;
const PATH = `/users?limit=${ROWS}`;

export const page: Scenario = { id: 'page', contenders: [tidemark, tidemarkPage], run };

async function run(bench: Bench): Promise<Findings> {
  const contenders = bench.wanted(page);
  const found = await together(contenders, bench.servers, { rows: ROWS }, async (running) => {
    for (const one of running) await checkAnswers(one, PATH, ROWS);
    return measure(bench, {
      title: 'page',
      running,
      connections: [CONNECTIONS],
      load: () => ({ paths: [PATH] }),
      beside: (one) =>
        one.contender.id === tidemarkPage.id ? follow(one) : () => Promise.resolve(),
    });
  });
  const of = ({ id }: { readonly id: string }) => foundOf(found, id, CONNECTIONS);
  const ratio = ratioOf('perSecond', of(tidemarkPage), of(tidemark));
  return {
    tables: [
      {
        title: `Hits with the page open, ${ROWS} rows (required: at least 0.97 of those without; found: ${
          ratio ? spreadText(ratio) : 'not measured'
        })`,
        columns: MEASURE_COLUMNS,
        rows: found.map(measureRow),
      },
    ],
    reached: {},
  };
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
