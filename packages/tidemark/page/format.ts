/** Numbers as people read them, with their units. */

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** Stands where there is no number. */
export const NONE = '–';

/** From this number on counts are shortened. */
const SHORTENED = 100_000_000;

export function count(value: number): string {
  return value < SHORTENED ? NUMBER.format(value) : COMPACT.format(value);
}

/** A count with its noun, such as `1 write` and `2 writes`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** @param ms `undefined`: unknown. */
export function duration(ms: number | undefined): string {
  if (ms === undefined || Number.isNaN(ms)) return NONE;
  if (ms === 0) return '0 ms';
  if (ms < 0.01) return '< 0.01 ms';
  if (ms < 999.5) return `${significant(ms)} ms`;
  if (ms < MINUTE_MS - 500) return `${significant(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS - MINUTE_MS / 2) return `${significant(ms / MINUTE_MS)} min`;
  return ms < DAY_MS ? `${significant(ms / HOUR_MS)} h` : `${significant(ms / DAY_MS)} d`;
}

/** Two digits at least, and no false precision. */
function significant(value: number): string {
  if (value >= 99.5) return NUMBER.format(value);
  if (value >= 9.95) return String(Math.round(value));
  return String(Number(value.toFixed(value >= 0.995 ? 1 : 2)));
}

const BYTE_UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** In steps of 1,024. */
export function bytes(value: number | undefined): string {
  if (value === undefined) return NONE;
  let amount = value;
  let unit = 0;
  while (amount >= 1_023.5 && unit < BYTE_UNITS.length - 1) {
    amount /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? amount : significant(amount)} ${BYTE_UNITS[unit]}`;
}

/** A share as per cent. All and none are said only of all and none. */
export function percent(share: number | undefined): string {
  if (share === undefined || Number.isNaN(share)) return NONE;
  if (share > 0 && share < 0.001) return '< 0.1 %';
  if (share < 1 && share > 0.999) return '> 99.9 %';
  return `${Number((share * 100).toFixed(1))} %`;
}

/** The share of a whole; `undefined` if the whole is nothing. */
export function shareOf(part: number, whole: number): number | undefined {
  return whole > 0 ? part / whole : undefined;
}

/** How long before `nowMs`, which another clock may have read: never in the future. */
export function ago(atMs: number, nowMs: number): string {
  const pastMs = Math.max(0, nowMs - atMs);
  if (pastMs < SECOND_MS) return 'now';
  if (pastMs < MINUTE_MS) return `${Math.floor(pastMs / SECOND_MS)} s ago`;
  if (pastMs < HOUR_MS) return `${Math.floor(pastMs / MINUTE_MS)} min ago`;
  return pastMs < DAY_MS
    ? `${Math.floor(pastMs / HOUR_MS)} h ago`
    : `${Math.floor(pastMs / DAY_MS)} d ago`;
}

const pad = (value: number): string => String(value).padStart(2, '0');

/** The time of day here, to the minute. */
export function minuteOfDay(atMs: number): string {
  const at = new Date(atMs);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

/** The time of day here, to the second. */
export function timeOfDay(atMs: number): string {
  return `${minuteOfDay(atMs)}:${pad(new Date(atMs).getSeconds())}`;
}
