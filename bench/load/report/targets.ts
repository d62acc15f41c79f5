/** What Tidemark must reach: ratios of medians of one run. */
import { shortNumber, type Table } from './table.js';

export interface Target {
  readonly measure: string;
  /** The measured value must be at least, or at most, this. */
  readonly least?: number;
  readonly most?: number;
  readonly unit?: string;
}

/** Two equal times differ by less than this share in a run without other work on the machine. */
const SAME = 1.15;

export const TARGETS = {
  'l1-1000-intercepted': {
    measure: 'L1 hit / Nest constant behind a no-op interceptor; 1000 rows, 100 connections',
    least: 0.9,
  },
  'l1-1000-constant': {
    measure: 'L1 hit / plain Nest constant; 1000 rows, 100 connections',
    least: 0.7,
  },
  'l1-10-intercepted': {
    measure: 'L1 hit / Nest constant behind a no-op interceptor; 10 rows, 100 connections',
    least: 0.85,
  },
  'l1-1000-shared-peer': {
    measure: 'L1 hit / best peer that shares a cache between processes; 1000 rows',
    least: 10,
    unit: 'times',
  },
  'l1-10-memory-peer': {
    measure: 'L1 hit / best peer in process memory; 10 rows',
    least: 1,
    unit: 'times',
  },
  'l2-1000-seed': {
    measure: 'L2 hit / hand-written Redis decorator; 1000 rows',
    least: 3,
    unit: 'times',
  },
  'gzip-1000': {
    measure: 'gzip, L1 hit / Nest + @fastify/compress on a constant; 1000 rows',
    least: 10,
    unit: 'times',
  },
  'not-modified': { measure: '304 / no-op interceptor answering 304', least: 0.95 },
  'one-connection': {
    measure: "hit p50 beyond the constant's, one connection, in Redis round trips",
    most: 2.5,
  },
  'miss-100': {
    measure: 'miss / uncached time; 100 rows, p50 at one connection',
    most: 1.08,
  },
  'miss-1000': {
    measure: 'miss / uncached time; 1000 rows, p50 at one connection',
    most: 1.08,
  },
  patch: { measure: 'single write / uncached write, p50 at one connection', most: 1.5 },
  'write-entries': { measure: 'write with 100,000 stored entries / with 10', most: SAME },
  'write-regions': { measure: 'write with 10,000 regions / with 1', most: SAME },
  stampede: {
    measure: 'statements a key after an invalidation; 100 clients, three instances',
    most: 1,
  },
  'stampede-dead-fill': {
    measure: 'the same when a fill dies, statements an instance',
    most: 1,
  },
  'l1-memory': {
    measure: 'memory per L1 entry besides its bytes',
    most: 400,
    unit: 'bytes',
  },
} as const satisfies Record<string, Target>;

export type TargetId = keyof typeof TARGETS;

/** What was measured in the application that the peers are in, and of the whole service behind its edge. */
export interface Measures {
  readonly modules?: number | undefined;
  readonly service?: number | undefined;
}

export type Reached = Partial<Record<TargetId, Measures>>;

export function targetsTable(reached: Reached): Table {
  const rows = Object.entries(TARGETS).map(([id, target]: [string, Target]) => {
    const { modules, service } = reached[id as TargetId] ?? {};
    return [target.measure, requirement(target), judged(target, modules), judged(target, service)];
  });
  return {
    title: 'What it must reach (**bold**: not reached)',
    columns: ['measure', 'required', 'the modules', 'the service'],
    rows,
  };
}

/** The ratio, where both were measured. */
export function ratio(value: number | undefined, to: number | undefined): number | undefined {
  return value === undefined || to === undefined ? undefined : value / to;
}

function judged(target: Target, value: number | undefined): string {
  if (value === undefined) return '–';
  const told = withUnit(value, target.unit);
  return isMet(target, value) ? told : `**${told}**`;
}

function requirement({ least, most, unit }: Target): string {
  const bound = least === undefined ? `at most ${withUnit(most ?? 0, unit)}` : '';
  return bound || `at least ${withUnit(least ?? 0, unit)}`;
}

function isMet({ least = -Infinity, most = Infinity }: Target, value: number): boolean {
  return value >= least && value <= most;
}

function withUnit(value: number, unit: string | undefined): string {
  return unit === undefined ? shortNumber(value) : `${shortNumber(value)} ${unit}`;
}
