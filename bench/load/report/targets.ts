/** What Tidemark must reach: medians of the ratios of all rounds. */
import type { Spread } from './spread.js';
import { spreadText, type Table } from './table.js';

interface Target {
  readonly measure: string;
  /** The measured value must be at least, or at most, this. */
  readonly least?: number;
  readonly most?: number;
  /** The further aim. */
  readonly wanted?: number;
}

export const TARGETS = {
  'hit-1000-intercepted': {
    measure: 'strict L1 hit / Nest constant, no-op interceptor; 1000 rows, 100 connections',
    least: 1,
  },
  'hit-1000-constant': {
    measure: 'strict L1 hit / plain Nest constant; 1000 rows, 100 connections',
    least: 0.8,
  },
  'hit-10-intercepted': {
    measure: 'strict L1 hit / Nest constant, no-op interceptor; 10 rows, 100 connections',
    least: 1,
  },
  'miss-100': {
    measure: 'miss / `protocol-floor`; 100 rows, p50 at one connection',
    most: 1.45,
  },
  patch: {
    measure: 'single write (PATCH) / `protocol-floor`; p50 at one connection',
    most: 1.35,
    wanted: 1.2,
  },
  save: {
    measure: '`repository.save()` of a loaded entity / without a cache; p50 at one connection',
    most: 1.5,
  },
} as const satisfies Record<string, Target>;

export type TargetId = keyof typeof TARGETS;

const COLUMNS = {
  service: 'the service',
  modules: 'the modules',
  bentocache: 'bentocache',
  cacheManager: '@nestjs/cache-manager (Redis)',
} as const;
type Column = keyof typeof COLUMNS;

export type Measures = Readonly<Record<Column, Spread | undefined>>;
export type Reached = Partial<Record<TargetId, Measures>>;

export function targetsTable(reached: Reached): Table {
  const columns = Object.keys(COLUMNS) as Column[];
  return {
    title: 'What Tidemark must reach (**bold**: not reached), and peers beside it',
    columns: ['measure', 'required', ...Object.values(COLUMNS)],
    rows: Object.entries(TARGETS).map(([id, target]: [string, Target]) => {
      const measures = reached[id as TargetId];
      const cells = columns.map((column) => cell(target, column, measures?.[column]));
      return [target.measure, requirement(target), ...cells];
    }),
  };
}

function cell(target: Target, column: Column, value: Spread | undefined): string {
  if (value === undefined) return '–';
  const isOurs = column === 'service' || column === 'modules';
  const text = spreadText(value);
  return isOurs && !isMet(target, value.median) ? `**${text}**` : text;
}

function requirement({ least, most, wanted }: Target): string {
  const bound =
    least === undefined ? `at most ${most?.toFixed(2)}` : `at least ${least.toFixed(2)}`;
  return wanted === undefined ? bound : `${bound}, wanted ${wanted.toFixed(2)}`;
}

function isMet({ least = -Infinity, most = Infinity }: Target, value: number): boolean {
  return value >= least && value <= most;
}
