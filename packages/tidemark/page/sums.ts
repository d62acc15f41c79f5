/** Figures of outcomes, minutes and regions. */
import type { MinuteCounts, Outcomes, RegionReport } from '../src/observe/report.js';
import type { Regions } from '../src/core/ports/cache-events.js';
import { shareOf } from './format.js';

export function requestsOf(outcomes: Outcomes): number {
  const { l1, l2, stored, notStored, joined, bypassed, failed } = outcomes;
  return l1 + l2 + stored + notStored + joined + bypassed + failed;
}

export function hitsOf({ l1, l2 }: Pick<Outcomes, 'l1' | 'l2'>): number {
  return l1 + l2;
}

/** `undefined`: there was no request. */
export function hitRatioOf(outcomes: Outcomes): number | undefined {
  return shareOf(hitsOf(outcomes), requestsOf(outcomes));
}

export function sumMinutes(minutes: readonly MinuteCounts[]): MinuteCounts {
  return minutes.reduce(
    (sum, minute) => ({
      requests: sum.requests + minute.requests,
      hits: sum.hits + minute.hits,
      savedMs: sum.savedMs + minute.savedMs,
    }),
    { requests: 0, hits: 0, savedMs: 0 },
  );
}

const MINUTE_MS = 60_000;

/** When each minute began, in milliseconds; the last one holds `atMs`. */
export function startsOf(minutes: readonly unknown[], atMs: number): readonly number[] {
  const lastMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  return minutes.map((_, index) => lastMs - (minutes.length - 1 - index) * MINUTE_MS);
}

/** Fewer reads and writes say nothing yet. */
const MIN_WRITES = 10;

/** Whether writes end the region's answers at least as often as these are read again. */
export function isNotWorthCaching({ hits, writes }: RegionReport): boolean {
  return writes >= MIN_WRITES && writes >= hits;
}

/** `*` in words, and the percent-encoding of a dimension undone. */
export function regionName(name: string): string {
  if (name === '*') return 'whole table';
  const [, dimension = '', kind = '', value = ''] = /^([^=?]*)([=?])(.*)$/s.exec(name) ?? [];
  if (dimension === '') return name;
  const readable = decodedOr(dimension);
  return kind === '?' ? `${readable} unknown` : `${readable} = ${value}`;
}

/** Regions in one line; of each table at most `max` names. */
export function regionsText(regions: Regions, max = 3): string {
  return regions
    .map(({ table, names }) => {
      if (table === '*') return 'all tables';
      const shown = names.filter((name) => names.length === 1 || name !== '*').map(regionName);
      const more = shown.length - max;
      return `${table} (${shown.slice(0, max).join(', ')}${more > 0 ? `, ${more} more` : ''})`;
    })
    .join('; ');
}

function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
