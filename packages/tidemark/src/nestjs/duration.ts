/** Durations in milliseconds, so that a call shows its unit: `ttlMs: seconds(300)`. */

/** The milliseconds of so many seconds. */
export const seconds = (count: number): number => count * 1_000;
/** The milliseconds of so many minutes. */
export const minutes = (count: number): number => seconds(count * 60);
/** The milliseconds of so many hours. */
export const hours = (count: number): number => minutes(count * 60);
