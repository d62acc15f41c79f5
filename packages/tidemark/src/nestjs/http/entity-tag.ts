/** Strong entity tags (RFC 9110 section 8.8.3): one for each content coding of an entry, because their bytes differ. */
import { hash } from 'node:crypto';
import type { Encoding } from './content-encoding.js';

/** Bytes of the hash: a multiple of three, which base64 encodes without padding. */
const TAG_BYTES = 18;

const CODINGS: readonly Encoding[] = ['identity', 'br', 'gzip'];

/** The opaque part of the tags of an answer with this body. */
export function tagOf(body: Buffer): string {
  // A slice of the string would keep the whole string in memory.
  return hash('sha256', body, 'buffer').toString('base64url', 0, TAG_BYTES);
}

export function entityTag(tag: string, encoding: Encoding): string {
  return encoding === 'identity' ? `"${tag}"` : `"${tag}-${encoding}"`;
}

/**
 * The tag in `If-None-Match` that matches the entry in any of its codings: the client then has the same rows. The
 * comparison is weak (RFC 9110 section 13.1.2); a 304 carries the tag that the client has.
 */
export function matchingTag(
  header: string | undefined,
  tag: string,
  current: Encoding,
): string | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return entityTag(tag, current);
  const named = new Set(header.split(',').map((item) => item.trim().replace(/^W\//, '')));
  return [current, ...CODINGS]
    .map((coding) => entityTag(tag, coding))
    .find((own) => named.has(own));
}

/** Whether `If-Match` matches the entry in any of its codings: strong comparison (RFC 9110 section 13.1.1). */
export function namesStrongly(header: string, tag: string): boolean {
  const named = new Set(header.split(',').map((item) => item.trim()));
  return named.has('*') || CODINGS.some((coding) => named.has(entityTag(tag, coding)));
}
