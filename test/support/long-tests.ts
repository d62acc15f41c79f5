/** Marks the variants that only `npm run test:long` runs (test/README.md lists them). */
import { it } from 'vitest';

/** Whether this is `npm run test:long`, which runs everything at full length. */
export const isLong = process.env['TIDEMARK_LONG_TESTS'] === '1';

/** A test that only `npm run test:long` runs; `npm test` counts it as skipped. */
export const itWhenLong = isLong ? it : it.skip;

/**
 * The variants that represent the others in `npm test`, by their places; all of them in
 * `npm run test:long`.
 */
export function representatives<T>(all: readonly T[], ...places: readonly number[]): T[] {
  return all.filter((_, place) => isLong || places.includes(place));
}
