/**
 * Fills that begin before the shared store has answered.
 *
 * A miss knows only afterwards that it is one: the versions, the stored entry and the lock of the fill are a
 * round trip away. Where that has told nothing for many misses of a query in a row, its next one is sent to
 * the database at once, under the stamps that were read last. It is stored if those still are the stamps,
 * and then they were read before the SELECT, as they have to be; else it is run once more, as if there had
 * been no head start.
 *
 * A head start is in vain where the store had the answer after all, where a write has changed the versions,
 * or where another instance fills the same key. After that a query has to prove anew that it is worthwhile;
 * and since several may turn out to be in vain at once, only so many are under way as were proven so many
 * times over. So at most one statement in so many is sent in vain.
 */
import type { CacheEvents } from './cache-events.js';
import type { Answer, ReadRequest } from './read-request.js';
import type { Stamps } from './stamp.js';

/** A query that was sent before it was known whether its answer is needed. */
export interface HeadStart {
  readonly query: string;
  /** Those that were read last before it was sent. */
  readonly stamps: Stamps;
  readonly answer: Promise<Answer>;
  /** Whether it is known what became of it. */
  isJudged: boolean;
}

interface Experience {
  /** The latest misses in a row that nobody else could have answered. */
  needed: number;
  /** Head starts that have not ended. */
  underWay: number;
}

export class HeadStarts {
  readonly #byQuery = new Map<string, Experience>();

  /** @param provenBy misses in a row for each head start that may be under way. */
  constructor(
    private readonly provenBy: number,
    private readonly events: CacheEvents,
  ) {}

  /** Sends the query, where that is worthwhile. To be ended. */
  begin(
    { query, isRepeatable, run }: ReadRequest,
    stamps: Stamps | undefined,
  ): HeadStart | undefined {
    if (!stamps || !isRepeatable) return undefined;
    const experience = this.#experienceOf(query);
    if (experience.needed < this.provenBy * (experience.underWay + 1)) return undefined;
    experience.underWay += 1;
    const answer = run();
    // Nobody may ask for it.
    answer.catch(() => undefined);
    return { query, stamps, answer, isJudged: false };
  }

  /** The request that began it has been answered. */
  end(headStart: HeadStart): void {
    this.#experienceOf(headStart.query).underWay -= 1;
    // It has answered that request, and shows nothing of others.
    this.#judge(headStart, true);
  }

  /**
   * To be called for queries whose key was not in memory: what became of others says nothing of those.
   *
   * @param isNeeded whether it had to be run here, and not once more.
   */
  learn(query: string, isNeeded: boolean, headStart: HeadStart | undefined): void {
    const experience = this.#experienceOf(query);
    experience.needed = isNeeded ? experience.needed + 1 : 0;
    if (headStart) this.#judge(headStart, isNeeded);
  }

  #judge(headStart: HeadStart, used: boolean): void {
    if (headStart.isJudged) return;
    headStart.isJudged = true;
    this.events.tell('headStart', { query: headStart.query, used });
  }

  #experienceOf(query: string): Experience {
    let experience = this.#byQuery.get(query);
    if (!experience) {
      experience = { needed: 0, underWay: 0 };
      this.#byQuery.set(query, experience);
    }
    return experience;
  }
}
