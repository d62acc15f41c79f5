/**
 * Names of the versions of one table.
 *
 * | name       | replaced by                                                    |
 * |------------|----------------------------------------------------------------|
 * | `*`        | every write to the table                                       |
 * | `d=v`      | a write that touches value v of dimension d, old or new image  |
 * | `d?`       | a write whose values of d cannot be told, or are too many      |
 *
 * `d` is percent-encoded, so the first `=` or `?` ends it. Long values are replaced by their
 * SHA-256, so that a name stays short enough for a key.
 */
import { hash } from 'node:crypto';

const MAX_VALUE = 120;

/** Replaced by every write to the table. */
export const WHOLE_TABLE = '*';

export function valueVersion(dimension: string, value: string): string {
  const short = value.length <= MAX_VALUE ? value : `=${hash('sha256', value, 'base64url')}`;
  return `${encodeURIComponent(dimension)}=${short}`;
}

export function unknownVersion(dimension: string): string {
  return `${encodeURIComponent(dimension)}?`;
}

/** Whether it is of one value: there may be as many of those as readers can think of. */
export function isValueVersion(name: string): boolean {
  return /^[^=?]*=/.test(name);
}

/** The encoded dimension a version name belongs to; `undefined` for those of a whole table. */
export function dimensionOf(name: string): string | undefined {
  return /^([^=?]*)[=?]/.exec(name)?.[1];
}
