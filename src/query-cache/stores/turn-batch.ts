/**
 * Asks all that is asked in one turn of the event loop in one round trip.
 *
 * The first question of a turn schedules the round trip with `setImmediate`. The check phase, where it
 * runs, follows the poll phase, where the requests of all sockets that had something to say are handled
 * one after the other; a microtask or `nextTick` would run after the first of them already. A
 * timer would let the loop sleep in between; with an immediate pending it does not.
 */

/** Tells the answer to each of the questions that were asked together. */
export type Answers<Q, A> = (question: Q) => A;

class Asked<A> {
  resolve!: (answer: A) => void;
  reject!: (error: unknown) => void;
  readonly answer = new Promise<A>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

export class TurnBatch<Q extends object, A> {
  #open: Map<Q, Asked<A>> | undefined;

  /** `askAll` gets each question once, and is called after the last of them was asked. */
  constructor(private readonly askAll: (questions: readonly Q[]) => Promise<Answers<Q, A>>) {}

  /**
   * The same object asked again in the same turn gets the same promise. Rejects when the round trip
   * of the turn fails.
   */
  ask(question: Q): Promise<A> {
    const turn = (this.#open ??= this.#schedule());
    let asked = turn.get(question);
    if (!asked) {
      asked = new Asked();
      turn.set(question, asked);
    }
    return asked.answer;
  }

  #schedule(): Map<Q, Asked<A>> {
    const turn = new Map<Q, Asked<A>>();
    setImmediate(() => {
      this.#open = undefined;
      void this.#send(turn);
    });
    return turn;
  }

  async #send(turn: ReadonlyMap<Q, Asked<A>>): Promise<void> {
    try {
      const answerTo = await this.askAll([...turn.keys()]);
      for (const [question, { resolve }] of turn) resolve(answerTo(question));
    } catch (error) {
      for (const { reject } of turn.values()) reject(error);
    }
  }
}
