/** Measuring several contenders in interleaved rounds. */
import type { RunningContender } from '../contenders/running.js';
import type { Load } from '../generator/load.js';
import { spreadOf, type Spread } from '../report/spread.js';
import { shortNumber, spreadText } from '../report/table.js';
import type { Bench } from './scenario.js';

/** Hot code is compiled by then, also where a request takes milliseconds. */
const WARM_SECONDS = 5;

/** One turn of one contender. */
interface Turn {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly statementsPerSecond: number;
  /** SELECTs from the table of users, for each request. */
  readonly readsPerRequest: number;
  readonly cpuMicroseconds: number;
}

export type Measured = { readonly [K in keyof Turn]: Spread } & {
  readonly running: RunningContender;
  readonly connections: number;
  readonly peakMemoryBytes: number;
  /** One of each round. */
  readonly turns: readonly Turn[];
};

export type LoadOf = (
  running: RunningContender,
  connections: number,
  seconds: number,
) => Omit<Load, 'url' | 'seconds' | 'connections'>;

export interface Order {
  readonly running: readonly RunningContender[];
  readonly connections: readonly number[];
  /** Called for each turn. */
  readonly load: LoadOf;
  /** Starts further load during a turn; returns a function that ends it. */
  readonly beside?: (running: RunningContender) => () => Promise<void>;
  /** For the progress. */
  readonly title: string;
  /** Called once at the start of each round. */
  readonly onRound?: () => Promise<void>;
}

/**
 * Every contender has a turn in every round, in an order that changes from round to round, so that
 * what the machine does meanwhile strikes all alike. A first turn that does not count lets code be
 * compiled and connections be opened.
 */
export async function measure(bench: Bench, order: Order): Promise<Measured[]> {
  const { rounds, seconds, quick } = bench.options;
  const warmSeconds = quick ? seconds : Math.max(seconds, WARM_SECONDS);
  const turns = new Map<string, Turn[]>();
  const most = Math.max(...order.connections);
  for (const running of order.running) {
    bench.progress(`${order.title}: warming ${running.contender.title}`);
    await turn(bench, running, most, { ...order, seconds: warmSeconds });
  }
  for (let round = 0; round < rounds; round += 1) {
    await order.onRound?.();
    for (const running of turned(order.running, round)) {
      for (const connections of order.connections) {
        const found = await turn(bench, running, connections, { ...order, seconds });
        const key = keyOf(running, connections);
        turns.set(key, [...(turns.get(key) ?? []), found]);
        bench.progress(
          `${order.title}, round ${round + 1}: ${running.contender.title}, ${connections} connections: ${shortNumber(found.perSecond)}/s`,
        );
      }
    }
  }
  return order.running.flatMap((running) =>
    order.connections.map((connections) =>
      measured(running, connections, turns.get(keyOf(running, connections)) ?? []),
    ),
  );
}

async function turn(
  { generator }: Bench,
  running: RunningContender,
  connections: number,
  { load, beside, seconds }: Order & { seconds: number },
): Promise<Turn> {
  const { url } = running;
  const wanted = load(running, connections, seconds);
  const end = beside?.(running);
  const before = await running.statements();
  const cpuBefore = running.cpuMicroseconds ?? Number.NaN;
  const result = await generator.run({ ...wanted, url, connections, seconds });
  const cpuAfter = running.cpuMicroseconds ?? Number.NaN;
  const after = await running.statements();
  await end?.();
  return {
    perSecond: result.requests / result.seconds,
    p50Ms: result.p50Ms,
    p95Ms: result.p95Ms,
    p99Ms: result.p99Ms,
    statementsPerSecond: (after.all - before.all) / result.seconds,
    readsPerRequest: (after.reads - before.reads) / result.requests,
    cpuMicroseconds: (cpuAfter - cpuBefore) / result.requests,
  };
}

/** The same contenders, backwards every other round, and begun with another one every second. */
function turned<T>(all: readonly T[], round: number): readonly T[] {
  const first = Math.floor(round / 2) % Math.max(1, all.length);
  const order = [...all.slice(first), ...all.slice(0, first)];
  return round % 2 === 0 ? order : order.reverse();
}

function measured(
  running: RunningContender,
  connections: number,
  turns: readonly Turn[],
): Measured {
  const spread = (name: keyof Turn): Spread => spreadOf(turns.map((one) => one[name]));
  return {
    running,
    connections,
    turns,
    perSecond: spread('perSecond'),
    p50Ms: spread('p50Ms'),
    p95Ms: spread('p95Ms'),
    p99Ms: spread('p99Ms'),
    statementsPerSecond: spread('statementsPerSecond'),
    readsPerRequest: spread('readsPerRequest'),
    cpuMicroseconds: spread('cpuMicroseconds'),
    peakMemoryBytes: running.peakMemoryBytes ?? Number.NaN,
  };
}

function keyOf(running: RunningContender, connections: number): string {
  return `${running.contender.id} ${connections}`;
}

export const MEASURE_COLUMNS = [
  'contender',
  'connections',
  'requests/s',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'statements/s',
  'CPU µs/request',
  'peak MB',
] as const;

export function measureRow(found: Measured): string[] {
  return [
    found.running.contender.title,
    String(found.connections),
    spreadText(found.perSecond),
    spreadText(found.p50Ms),
    spreadText(found.p95Ms),
    spreadText(found.p99Ms),
    shortNumber(found.statementsPerSecond.median),
    shortNumber(found.cpuMicroseconds.median),
    shortNumber(found.peakMemoryBytes / 1024 / 1024),
  ];
}

/**
 * One beside another, round by round, since what the machine does meanwhile strikes both. `undefined` where one
 * took no part.
 */
export function ratioOf(
  name: keyof Turn,
  one: Measured | undefined,
  other: Measured | undefined,
): Spread | undefined {
  if (!one || !other) return undefined;
  return spreadOf(one.turns.map((turn, round) => turn[name] / (other.turns[round]?.[name] ?? NaN)));
}

/** The one of a contender at a number of connections, if it took part. */
export function foundOf(
  all: readonly Measured[],
  id: string,
  connections: number,
): Measured | undefined {
  return all.find((one) => one.running.contender.id === id && one.connections === connections);
}
