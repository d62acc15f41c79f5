/**
 * Fills that begin before the shared store has answered.
 *
 * A miss knows only afterwards that it is one: the versions, the stored entry and the lock of the fill are a
 * round trip away. Where that has told nothing for many misses of a query in a row, its next one is sent to
 * the database at once, under the stamps that were read last. It is stored if those still are the stamps,
 * and then they were read before the SELECT, as they have to be; else it is run once more, as if there had
 * been no head start. A query that the store or another instance could have answered after all has to
 * prove anew that it is worthwhile, so that at most one statement in so many is sent in vain.
 */
import type { CacheEvents } from './cache-events.js';
import type { Answer, ReadRequest } from './read-request.js';
import type { Stamps } from './stamp.js';

/** A query that was sent before it was known whether its answer is needed. */
export interface HeadStart {
  /** Those that were read last before it was sent. */
  readonly stamps: Stamps;
  readonly answer: Promise<Answer>;
  /** Whether it is known what became of it. */
  isJudged: boolean;
}

export class HeadStarts {
  /** By query: its latest misses in a row that nobody else could have answered. */
  readonly #needed = new Map<string, number>();

  /** @param provenBy misses in a row after which the next one gets a head start. */
  constructor(
    private readonly provenBy: number,
    private readonly events: CacheEvents,
  ) {}

  /** Sends the query, where that is worthwhile. */
  begin({ query, run }: ReadRequest, stamps: Stamps | undefined): HeadStart | undefined {
    if (!stamps || (this.#needed.get(query) ?? 0) < this.provenBy) return undefined;
    const answer = run();
    // Nobody may ask for it.
    answer.catch(() => undefined);
    return { stamps, answer, isJudged: false };
  }

  /**
   * To be called for queries without an entry in memory: others say nothing of those.
   *
   * @param isNeeded whether it had to be run here, and not once more.
   */
  learn(query: string, isNeeded: boolean, headStart: HeadStart | undefined): void {
    this.#needed.set(query, isNeeded ? (this.#needed.get(query) ?? 0) + 1 : 0);
    if (!headStart || headStart.isJudged) return;
    headStart.isJudged = true;
    this.events.tell('headStart', { query, used: isNeeded });
  }
}
