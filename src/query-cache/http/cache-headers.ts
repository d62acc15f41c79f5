/** Headers that say what the cache did. */
import type { FastifyReply } from 'fastify';
import type { CacheEntry } from '../core/entry-store.js';
import type { JsonOutcome } from '../cache-reader.js';

/** `Cache-Status` where the query itself has failed. */
export const FAILED_STATUS = 'tidemark; fwd=miss; detail=failed';

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

/** Sets what every answer has. `nowMs`: wall clock. */
export function setCacheHeaders(reply: FastifyReply, outcome: JsonOutcome, nowMs: number): void {
  void reply
    .header('cache-control', 'private, no-cache')
    .header('cache-status', statusOf(outcome, nowMs))
    .header('vary', 'Accept-Encoding');
}

/** Sets what an answer with content has; `headers`: those that the query has told from its rows. */
export function setContentHeaders(
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
): void {
  void reply.header('content-type', 'application/json; charset=utf-8').headers(headers);
}

/** `Age`: seconds since the entry was made (RFC 9111 section 5.1). `nowMs`: wall clock. */
export function ageOf({ createdAtMs }: CacheEntry, nowMs: number): string {
  return String(Math.max(0, Math.floor((nowMs - createdAtMs) / 1000)));
}
