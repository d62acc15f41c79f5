/** Durations in milliseconds, so that a call shows its unit: `ttlMs: seconds(300)`. */
export const seconds = (count: number): number => count * 1_000;
export const minutes = (count: number): number => seconds(count * 60);
export const hours = (count: number): number => minutes(count * 60);
