/**
 * Asks all that is asked in one turn of the event loop in one round trip, and answers in groups.
 *
 * A hundred callers that go on one after the other take milliseconds, in which the loop sees nothing else. Between
 * two groups it takes in new requests, so that what they ask for is under way while the last of the old ones go on.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Tells the answer to each of the questions that were asked together. */
export type Answers<Q, A> = (question: Q) => A;

/** Smaller groups measured slower, and larger ones no faster; see docs/performance.md. */
const GROUP_SIZE = 32;

class Asked<A> {
  resolve!: (answer: A) => void;
  reject!: (error: unknown) => void;
  readonly answer = new Promise<A>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

type Group<Q, A> = Map<Q, Asked<A>>;

export class TurnBatch<Q extends object, A> {
  #groups: Group<Q, A>[] = [];
  #callers = 0;

  /**
   * @param askAll gets each question once, and is called after the last of them was asked.
   * @param atEndOfTurn runs its argument once the callbacks of the present turn have run.
   */
  constructor(
    private readonly askAll: (questions: readonly Q[]) => Promise<Answers<Q, A>>,
    private readonly atEndOfTurn: (work: () => void) => void,
  ) {}

  /**
   * The same object asked again in the same turn gets the same promise in each group of callers. Rejects when the
   * round trip of the turn fails.
   */
  ask(question: Q): Promise<A> {
    const group = this.#groupOfNext();
    let asked = group.get(question);
    if (!asked) {
      asked = new Asked();
      group.set(question, asked);
    }
    return asked.answer;
  }

  #groupOfNext(): Group<Q, A> {
    const latest = this.#groups.at(-1);
    if (latest && this.#callers < GROUP_SIZE) {
      this.#callers += 1;
      return latest;
    }
    const group: Group<Q, A> = new Map();
    this.#groups.push(group);
    this.#callers = 1;
    if (!latest) this.atEndOfTurn(() => void this.#send());
    return group;
  }

  async #send(): Promise<void> {
    const groups = this.#groups;
    this.#groups = [];
    try {
      const answerTo = await this.askAll([
        ...new Set(groups.flatMap((group) => [...group.keys()])),
      ]);
      for (const group of groups) {
        for (const [question, { resolve }] of group) resolve(answerTo(question));
        if (group !== groups.at(-1)) await nextTurn();
      }
    } catch (error) {
      for (const group of groups) for (const { reject } of group.values()) reject(error);
    }
  }
}
