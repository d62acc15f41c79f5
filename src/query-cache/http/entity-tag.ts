/**
 * Strong entity tags (RFC 9110 section 8.8.3): one for each content coding of an entry, because
 * their bytes differ.
 */
import type { Encoding } from './content-encoding.js';

export function entityTag(tag: string, encoding: Encoding): string {
  return encoding === 'identity' ? `"${tag}"` : `"${tag}-${encoding}"`;
}

/**
 * Whether `If-None-Match` names the entry, in any of its codings: the client then holds the same
 * rows. Weak comparison, as RFC 9110 section 13.1.2 has it.
 */
export function isNotModified(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((item) => {
    const opaque = item.trim().replace(/^W\//, '').replace(/^"|"$/g, '');
    return opaque === tag || opaque === `${tag}-br` || opaque === `${tag}-gzip`;
  });
}
