/** Memory of an entry besides the bytes of its answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { tidemark, tidemarkL2 } from '../contenders/index.js';
import type { Contender } from '../contenders/contender.js';
import { RunningContender } from '../contenders/running.js';
import { shortNumber } from '../report/table.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { UniquePages } from './unique-pages.js';

const ROWS = 10;
const GIGABYTE = String(1024 ** 3);
const ANSWER_LIMIT_MS = 20_000;

interface Heap {
  readonly heapUsed: number;
  readonly arrayBuffers: number;
}

interface Growth {
  /** Of the process, in bytes. */
  readonly grown: number;
  /** Bytes of all answers. */
  readonly stored: number;
}

/** The same program as for hits in Redis alone, once with room for all entries. */
const withRoom: Contender = {
  ...tidemarkL2,
  id: 'tidemark-l1-room',
  env: ({ redisUrl }) => ({ REDIS_URL: redisUrl, BENCH_L1_BYTES: GIGABYTE }),
};

export const l1Memory: Scenario = { id: 'l1-memory', contenders: [tidemark], run };

async function run(bench: Bench): Promise<Findings> {
  const count = bench.options.quick ? 2_000 : 20_000;
  const kept = await growth(bench, withRoom, count);
  // The rest of the process's memory (plans, compiled code, pools) is in both.
  const notKept = await growth(bench, tidemarkL2, count);
  const entry = (kept.grown - notKept.grown) / count;
  const body = kept.stored / count;
  return {
    tables: [
      {
        title: `Memory of an L1 entry, mean of ${count.toLocaleString('en-US')}`,
        columns: ['bytes in all', 'of them the answer', 'besides'],
        rows: [[entry, body, entry - body].map(shortNumber)],
      },
    ],
    reached: {},
  };
}

async function growth(bench: Bench, contender: Contender, count: number): Promise<Growth> {
  bench.progress(`l1-memory: ${count} entries, ${contender.id}`);
  const running = await RunningContender.start(contender, bench.servers, { rows: ROWS });
  const pages = new UniquePages(ROWS);
  try {
    // Until code is compiled and pools are open.
    await running.askAll(pages.take(Math.ceil(count / 10)));
    const before = await heapOf(running);
    const stored = await running.askAll(pages.take(count));
    const after = await heapOf(running);
    return { grown: sizeOf(after) - sizeOf(before), stored };
  } finally {
    await running.stop();
  }
}

function sizeOf({ heapUsed, arrayBuffers }: Heap): number {
  return heapUsed + arrayBuffers;
}

/** Of the process after a garbage collection. Rejects when the process does not report it. */
async function heapOf(running: RunningContender): Promise<Heap> {
  const reports = (): RegExpMatchArray[] => [...running.log.matchAll(/^heap (\{.*\})$/gm)];
  const before = reports().length;
  // Idle connections and timers of the requests have ended then.
  await delay(1_000);
  process.kill(running.pid, 'SIGUSR2');
  const limitMs = performance.now() + ANSWER_LIMIT_MS;
  while (reports().length === before) {
    if (performance.now() > limitMs) throw new Error('The service did not report its heap');
    await delay(20);
  }
  return JSON.parse(reports().at(-1)?.[1] ?? '') as Heap;
}
