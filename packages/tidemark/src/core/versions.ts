/**
 * Names and texts of the versions of one table, as a version store holds them (version-store.ts).
 *
 * | name       | replaced by                                                    |
 * |------------|----------------------------------------------------------------|
 * | `*`        | every write to the table                                       |
 * | `d=v`      | a write with value v of dimension d in an old or new row       |
 * | `d?`       | a write whose values of d are unknown, or too many             |
 *
 * `d` is percent-encoded, so the first `=` or `?` ends it. Long values are replaced by their SHA-256, so that the name
 * is short enough for a key.
 */
import { hash, randomBytes } from 'node:crypto';

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

/** Whether the version is of one value: readers can create any number of those. */
export function isValueVersion(name: string): boolean {
  return /^[^=?]*=/.test(name);
}

/** The encoded dimension that a version name belongs to; `undefined` for the whole table. */
export function dimensionOf(name: string): string | undefined {
  return /^([^=?]*)[=?]/.exec(name)?.[1];
}

/** Creates opaque tokens: never reused, derived from no clock and no counter. */
export type TokenSource = () => string;

/** A token of 96 random bits. */
export const randomToken: TokenSource = () => randomBytes(12).toString('base64url');

/** Ends the text of an epoch that does not count yet. */
export const SETTLING = ' settling';

interface Epoch {
  readonly token: string;
  /** The server process under which the epoch was created. */
  readonly node: string;
  /** Marks of open writes may have been lost: nothing is trusted yet. */
  readonly isSettling: boolean;
}

export function parseEpoch(text: string): Epoch {
  const isSettling = text.endsWith(SETTLING);
  const [token = '', node = ''] = text.split(' ', 2);
  return { token, node, isSettling };
}

/** Whether a write is marked on the version: answers under it are neither served nor stored. */
export function isInDoubt(version: string): boolean {
  return version.includes('!');
}
