/**
 * Loads everything requested in one turn of the event loop in one round trip, and answers in groups.
 *
 * A hundred callers that continue one after the other block the event loop for milliseconds. Between two groups the
 * loop accepts new requests, whose loads are then in flight while the last callers continue.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';

/** Maps each of the batched questions to its answer. */
export type Answers<Q, A> = (question: Q) => A;

/** Smaller groups measured slower, and larger ones no faster; see docs/performance.md. */
const GROUP_SIZE = 32;

class Group<Q, A> {
  callers = 0;
  readonly asked = new Map<Q, Promise<A>>();
  resolve!: (answers: Answers<Q, A>) => void;
  reject!: (error: unknown) => void;
  readonly #answers = new Promise<Answers<Q, A>>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  ask(question: Q): Promise<A> {
    this.callers += 1;
    let answer = this.asked.get(question);
    if (!answer) {
      answer = this.#answers.then((answerTo) => answerTo(question));
      this.asked.set(question, answer);
    }
    return answer;
  }
}

export class BatchLoader<Q extends object, A> {
  #groups: Group<Q, A>[] = [];

  /**
   * @param askAll gets each question once, after the last of them was asked.
   * @param atEndOfTurn runs its argument after the callbacks of the current turn.
   */
  constructor(
    private readonly askAll: (questions: readonly Q[]) => Promise<Answers<Q, A>>,
    private readonly atEndOfTurn: (work: () => void) => void,
  ) {}

  /**
   * The same object asked again in the same turn gets the same promise, within each group of callers. Rejects if the
   * round trip of the turn fails.
   */
  ask(question: Q): Promise<A> {
    let group = this.#groups.at(-1);
    if (!group) this.atEndOfTurn(() => void this.#send());
    if (!group || group.callers === GROUP_SIZE) {
      group = new Group();
      this.#groups.push(group);
    }
    return group.ask(question);
  }

  async #send(): Promise<void> {
    const groups = this.#groups;
    this.#groups = [];
    try {
      const questions = new Set(groups.flatMap(({ asked }) => [...asked.keys()]));
      const answers = await this.askAll([...questions]);
      for (const group of groups) {
        group.resolve(answers);
        if (group !== groups.at(-1)) await nextTurn();
      }
    } catch (error) {
      for (const { reject } of groups) reject(error);
    }
  }
}
