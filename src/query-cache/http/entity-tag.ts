/**
 * Strong entity tags (RFC 9110 section 8.8.3): one for each content coding of an entry, because
 * their bytes differ.
 */
import type { Encoding } from './content-encoding.js';

const CODINGS: readonly Encoding[] = ['identity', 'br', 'gzip'];

export function entityTag(tag: string, encoding: Encoding): string {
  return encoding === 'identity' ? `"${tag}"` : `"${tag}-${encoding}"`;
}

/**
 * The tag with which `If-None-Match` names the entry, in any of its codings: the client then holds
 * the same rows. `undefined` where it names none. Weak comparison, as RFC 9110 section 13.1.2 has
 * it; a 304 must carry the tag of what the client holds (RFC 9111 section 4.3.4).
 */
export function matchingTag(
  header: string | undefined,
  tag: string,
  current: Encoding,
): string | undefined {
  if (header === undefined) return undefined;
  // As a rule, a client sends what it was sent.
  if (header === entityTag(tag, current)) return header;
  if (header.trim() === '*') return entityTag(tag, current);
  const named = new Set(header.split(',').map((item) => item.trim().replace(/^W\//, '')));
  const tags = CODINGS.map((coding) => entityTag(tag, coding));
  return [entityTag(tag, current), ...tags].find((known) => named.has(known));
}
