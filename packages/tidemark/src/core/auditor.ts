/**
 * Runs the queries of a share of the hits again, in the background, and compares the answers with the hits
 * (answer-comparison.ts).
 *
 * It audits little rather than disturb: at most two hits at once, none later than at once, and none while the
 * connections to the database are busy.
 */
import type { AnswerComparison } from './answer-comparison.js';
import type { CacheEvents } from './ports/cache-events.js';
import type { CacheEntry } from './ports/entry-store.js';
import type { ReadRequest } from './read-request.js';

const MAX_AUDITS = 2;

export interface AuditorParts {
  readonly comparison: AnswerComparison;
  readonly events: CacheEvents;
  /** Uniform from 0 to less than 1. */
  readonly random: () => number;
  /** Whether a query would keep no other one waiting for a connection. */
  readonly hasSpareConnection: () => boolean;
}

export class Auditor {
  #running = 0;

  /** @param share of the hits, more than 0 and at most 1. */
  constructor(
    private readonly parts: AuditorParts,
    private readonly share: number,
  ) {}

  /** Call for each hit; `request.run` must run the query in the context of the caller. */
  hit(request: ReadRequest, entry: CacheEntry): void {
    if (this.parts.random() >= this.share || this.#running >= MAX_AUDITS) return;
    this.#running += 1;
    // The answer goes first.
    setImmediate(() => void this.#audit(request, entry));
  }

  async #audit(request: ReadRequest, entry: CacheEntry): Promise<void> {
    const { comparison, events, hasSpareConnection } = this.parts;
    try {
      if (!hasSpareConnection()) return;
      const compared = await comparison.compare(request, entry, await request.run());
      const { query, key } = request;
      if (compared) events.emitSafely('audited', { query, key, ...compared });
    } catch {
      // The query has failed or changed, or the comparison could not be made.
    } finally {
      this.#running -= 1;
    }
  }
}
