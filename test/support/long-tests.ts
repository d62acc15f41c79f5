/** What `npm test` leaves to `npm run test:long`: more of the same (test/README.md lists it). */

/** Whether this is `npm run test:long`, which runs everything at full length. */
export const isLong = process.env['TIDEMARK_LONG_TESTS'] === '1';

/**
 * The variants that stand for the others in `npm test`, by their places; all of them in
 * `npm run test:long`.
 */
export function representatives<T>(all: readonly T[], ...places: readonly number[]): T[] {
  return all.filter((_, place) => isLong || places.includes(place));
}
