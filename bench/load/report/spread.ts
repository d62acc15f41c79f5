/** Median and range of one measure over several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws RangeError without a value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const least = sorted[0];
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) throw new RangeError('Nothing was measured');
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? most;
  const lower = sorted[Math.ceil(half) - 1] ?? least;
  return { median: (lower + upper) / 2, least, most };
}
