import { randomBytes } from 'node:crypto';

/** Creates opaque tokens: never reused, derived from no clock and no counter. */
export type TokenSource = () => string;

/** A token of 96 random bits. */
export const randomToken: TokenSource = () => randomBytes(12).toString('base64url');
