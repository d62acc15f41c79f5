/**
 * Preconditions of requests (RFC 9110 section 13). Dates are ignored, also where a query gives `Last-Modified`: a row
 * may change twice in a second, and every answer has an entity tag.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { PreconditionFailedException } from '@nestjs/common';
import { matchingTag, namesStrongly, tagOf } from './entity-tag.js';

export type Preconditions = Pick<IncomingHttpHeaders, 'if-match' | 'if-none-match'>;

/** Whether a request has a condition that {@link checkPreconditions} looks at. */
export function hasPreconditions(headers: Preconditions): boolean {
  return headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
}

/**
 * Checks the conditions of a request that changes a resource. For a result that holds until the write,
 * `current` is read under a lock in the transaction of the write.
 *
 * @param current what a cached GET of the resource answers, as a value; `undefined`: there is no such resource.
 * @throws PreconditionFailedException
 */
export function checkPreconditions(headers: Preconditions, current: unknown): void {
  if (!hasPreconditions(headers)) return;
  const tag = current === undefined ? undefined : tagOf(Buffer.from(JSON.stringify(current)));
  requireMatch(headers, tag);
  const excluded = headers['if-none-match'];
  if (tag === undefined || matchingTag(excluded, tag, 'identity') === undefined) return;
  throw new PreconditionFailedException(
    'The resource is what If-None-Match excludes: send the request without it, or with another tag.',
  );
}

/** @throws PreconditionFailedException where `If-Match` names other tags. */
export function requireMatch(headers: Preconditions, tag: string | undefined): void {
  const header = headers['if-match'];
  if (header === undefined || (tag !== undefined && namesStrongly(header, tag))) return;
  throw new PreconditionFailedException(
    'The resource is not what If-Match names: read it again, and send the ETag that comes with it.',
  );
}
