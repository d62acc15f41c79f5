/**
 * Preconditions of requests (RFC 9110 section 13). Dates are ignored, even if a query sets `Last-Modified`: a row may
 * change twice in a second, and every answer has an entity tag.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { PreconditionFailedException } from '@nestjs/common';
import { matchingTag, namesStrongly, tagOf } from './entity-tag.js';

/** The request headers that name the entity tags of a condition. */
export type Preconditions = Pick<IncomingHttpHeaders, 'if-match' | 'if-none-match'>;

/** Whether a request has a condition that {@link checkPreconditions} evaluates. */
export function hasPreconditions(headers: Preconditions): boolean {
  return headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
}

/**
 * Checks the conditions of a request that changes a resource. To keep the result valid until the write, read `current`
 * under a lock in the transaction of the write.
 *
 * @param current the value that a cached GET of the resource would return; `undefined`: the resource does not exist.
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

/** @throws PreconditionFailedException if `If-Match` names other tags. */
export function requireMatch(headers: Preconditions, tag: string | undefined): void {
  const header = headers['if-match'];
  if (header === undefined || (tag !== undefined && namesStrongly(header, tag))) return;
  throw new PreconditionFailedException(
    'The resource is not what If-Match names: read it again, and send the ETag that comes with it.',
  );
}
