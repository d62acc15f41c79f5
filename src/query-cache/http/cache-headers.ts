/** Headers that say what the cache did. */
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

/** The headers stored with the entry, and its `Age` in seconds (RFC 9111 section 5.1). */
export function entryHeaders(
  { entry }: Exclude<JsonOutcome, { source: 'bypass' }>,
  nowMs: number,
): Record<string, string> {
  const age = Math.max(0, Math.floor((nowMs - entry.createdAtMs) / 1000));
  return { ...entry.headers, age: String(age) };
}
