/** Headers that say what the cache did. */
import type { FastifyReply } from 'fastify';
import type { CacheEntry } from '../core/entry-store.js';
import type { JsonOutcome } from '../cache-reader.js';
import { addHeader } from './combined-headers.js';

/** `Cache-Status` where the query itself has failed. */
const FAILED_STATUS = 'tidemark; fwd=miss; detail=failed';

/** `Cache-Status` (RFC 9211). `nowMs`: wall clock. */
export function statusOf(outcome: JsonOutcome, nowMs: number): string {
  switch (outcome.source) {
    case 'hit': {
      const ttl = Math.max(0, Math.floor((outcome.entry.expiresAtMs - nowMs) / 1000));
      return `tidemark; hit; ttl=${ttl}; detail=${outcome.level}`;
    }
    case 'miss':
      return `tidemark; fwd=miss; ${outcome.stored ? 'stored' : `detail=${outcome.refusal}`}`;
    case 'bypass':
      return `tidemark; fwd=bypass; detail=${outcome.detail ?? outcome.reason}`;
  }
}

/** Sets what every answer of a query has. `nowMs`: wall clock. */
export function setCacheHeaders(reply: FastifyReply, outcome: JsonOutcome, nowMs: number): void {
  addHeader(reply, 'cache-control', 'private, no-cache');
  addHeader(reply, 'cache-status', statusOf(outcome, nowMs));
}

export function setFailedStatus(reply: FastifyReply): void {
  addHeader(reply, 'cache-status', FAILED_STATUS);
}

/** Sets the headers that the query has derived from its rows and, of a stored answer, its age. `nowMs`: wall clock. */
export function setAnswerHeaders(reply: FastifyReply, outcome: JsonOutcome, nowMs: number): void {
  const { headers } = outcome.source === 'bypass' ? outcome.answer : outcome.entry;
  for (const name of Object.keys(headers))
    addHeader(reply, name.toLowerCase(), headers[name] ?? '');
  if (outcome.source !== 'bypass') addHeader(reply, 'age', ageOf(outcome.entry, nowMs));
}

/** Sets the content type as Fastify does it for an object. */
export function setJsonType(reply: FastifyReply): void {
  const own = reply.getHeader('content-type');
  if (typeof own !== 'string') void reply.header('content-type', 'application/json; charset=utf-8');
  else if (!own.includes(';')) void reply.header('content-type', `${own}; charset=utf-8`);
}

/** `Age`: seconds since the entry was made (RFC 9111 section 5.1). `nowMs`: wall clock. */
function ageOf({ createdAtMs }: CacheEntry, nowMs: number): string {
  return String(Math.max(0, Math.floor((nowMs - createdAtMs) / 1000)));
}
