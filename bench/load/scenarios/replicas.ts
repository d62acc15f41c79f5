/** Two processes of the service on one Redis and one database, beside one alone: how fast, and how strict. */
import { tidemark } from '../contenders/index.js';
import type { RunningContender } from '../contenders/running.js';
import { spreadOf } from '../report/spread.js';
import { shortNumber, spreadText } from '../report/table.js';
import type { Bench, Findings, Scenario } from './scenario.js';
import { withInstances } from './together.js';

const ROWS = [10, 1000] as const;
/** Of all processes together. */
const CONNECTIONS = 100;
const USER = 7;

export const replicas: Scenario = { id: 'replicas', contenders: [tidemark], run };

interface Turn {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

function run(bench: Bench): Promise<Findings> {
  return withInstances(bench, 2, async (both) => {
    const rows: string[][] = [];
    for (const size of ROWS) rows.push(...(await race(bench, both, `/users?limit=${size}`)));
    const { reads, hits } = await readsAfterWrites(bench, both);
    return {
      tables: [
        {
          title: `One process and two, ${CONNECTIONS} connections in all`,
          columns: ['', 'requests/s', 'CPU µs/request', 'two / one'],
          rows,
        },
        {
          title: 'Reads sent to one process when the other has acknowledged a write, under load',
          columns: ['reads', 'hits before each write', 'stale'],
          rows: [[shortNumber(reads), shortNumber(hits), '0']],
        },
      ],
      reached: {},
    };
  });
}

async function race(
  bench: Bench,
  both: readonly RunningContender[],
  path: string,
): Promise<string[][]> {
  const turns: { one: Turn[]; two: Turn[] } = { one: [], two: [] };
  await turn(bench, both, path);
  for (let round = 0; round < bench.options.rounds; round += 1) {
    turns.one.push(await turn(bench, both.slice(round % 2, (round % 2) + 1), path));
    turns.two.push(await turn(bench, both, path));
    bench.progress(`replicas, ${path}: round ${round + 1}`);
  }
  const rate = (of: readonly Turn[]) => spreadOf(of.map(({ perSecond }) => perSecond));
  const cpu = (of: readonly Turn[]) => spreadOf(of.map(({ cpuMicroseconds }) => cpuMicroseconds));
  const gain = rate(turns.two).median / rate(turns.one).median;
  const row = (title: string, of: readonly Turn[], last: string): string[] => {
    return [`${path}, ${title}`, spreadText(rate(of)), spreadText(cpu(of)), last];
  };
  return [row('one', turns.one, ''), row('two', turns.two, shortNumber(gain))];
}

async function turn(
  { generator, options }: Bench,
  running: readonly RunningContender[],
  path: string,
): Promise<Turn> {
  const cpu = (): number => running.reduce((sum, one) => sum + (one.cpuMicroseconds ?? 0), 0);
  const connections = CONNECTIONS / running.length;
  const before = cpu();
  const results = await Promise.all(
    running.map(({ url }) =>
      generator.run({ url, paths: [path], connections, seconds: options.seconds }),
    ),
  );
  const requests = results.reduce((sum, result) => sum + result.requests, 0);
  const perSecond = results.reduce((sum, result) => sum + result.requests / result.seconds, 0);
  return { perSecond, cpuMicroseconds: (cpu() - before) / requests };
}

/** @throws Error when a read does not show what had been acknowledged when it was sent. */
async function readsAfterWrites(
  { generator, options }: Bench,
  both: readonly RunningContender[],
): Promise<{ reads: number; hits: number }> {
  const path = `/users/${USER}`;
  let isOver = false;
  const load = Promise.all(
    both.map(({ url }) =>
      generator.run({ url, paths: [path], connections: 10, seconds: 2 * options.seconds }),
    ),
  ).finally(() => (isOver = true));
  let reads = 0;
  let hits = 0;
  while (!isOver) {
    const [writer, reader] = reads % 2 === 0 ? both : both.toReversed();
    if (!writer || !reader) throw new RangeError('There are no two processes');
    const cached = await reader.ask(path);
    await cached.arrayBuffer();
    if (cached.headers.get('cache-status')?.startsWith('tidemark; hit')) hits += 1;
    const email = `${reads}@example.com`;
    const written = await writer.ask(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email }),
    });
    await written.arrayBuffer();
    const answer = (await (await reader.ask(path)).json()) as { email: string };
    reads += 1;
    if (answer.email !== email) throw new Error(`A read showed ${answer.email} after ${email}`);
  }
  await load;
  return { reads, hits };
}
