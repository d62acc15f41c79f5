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
  /** That it was sent for. */
  readonly request: ReadRequest;
  /** Those that were read last before it was sent. */
  readonly stamps: Stamps;
  readonly answer: Promise<Answer>;
  /** On the clock of the caller. */
  readonly startedMs: number;
  hasFailed: boolean;
  /** Whether its outcome has been taken by anyone. */
  isUsed: boolean;
}

/** The request where its query has been sent. */
export function begun(request: ReadRequest, headStart: HeadStart | undefined): ReadRequest {
  if (!headStart) return request;
  const run = (): Promise<Answer> => {
    headStart.isUsed = true;
    return headStart.answer;
  };
  return { ...request, run };
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
    request: ReadRequest,
    stamps: Stamps | undefined,
    startedMs: number,
  ): HeadStart | undefined {
    if (!stamps || !request.isRepeatable) return undefined;
    const experience = this.#experienceOf(request.query);
    if (experience.needed < this.provenBy * (experience.underWay + 1)) return undefined;
    const headStart = {
      request,
      stamps,
      answer: request.run(),
      startedMs,
      hasFailed: false,
      isUsed: false,
    };
    // Nobody may ask for it.
    headStart.answer.catch(() => (headStart.hasFailed = true));
    experience.underWay += 1;
    return headStart;
  }

  /** The request that it was sent for has been answered. */
  end({ request: { query }, isUsed }: HeadStart): void {
    const experience = this.#experienceOf(query);
    experience.underWay -= 1;
    if (!isUsed) experience.needed = 0;
    this.events.tell('headStart', { query, used: isUsed });
  }

  /**
   * To be called for queries whose key was not in memory: what became of others says nothing of those.
   *
   * @param isNeeded whether it had to be run here.
   */
  learn(query: string, isNeeded: boolean): void {
    const experience = this.#experienceOf(query);
    experience.needed = isNeeded ? experience.needed + 1 : 0;
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
