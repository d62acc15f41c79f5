import { randomBytes } from 'node:crypto';

/** Makes opaque tokens of 96 random bits: never reused, from no clock and no counter. */
export type TokenSource = () => string;

export const randomToken: TokenSource = () => randomBytes(12).toString('base64url');
