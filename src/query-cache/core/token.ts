import { randomFillSync } from 'node:crypto';

/** Makes opaque tokens of 96 random bits: never reused, from no clock and no counter. */
export type TokenSource = () => string;

const TOKEN_BYTES = 12;

/** Had from the system many at a time. */
const pool = Buffer.alloc(256 * TOKEN_BYTES);
let used = pool.length;

export const randomToken: TokenSource = () => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const start = used;
  used += TOKEN_BYTES;
  return pool.toString('base64url', start, used);
};
