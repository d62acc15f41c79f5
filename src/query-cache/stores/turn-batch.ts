/** Asks all that is asked in one turn of the event loop in one round trip. */

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

  /**
   * @param askAll gets each question once, and is called after the last of them was asked.
   * @param atEndOfTurn runs its argument once the callbacks of the present turn have run.
   */
  constructor(
    private readonly askAll: (questions: readonly Q[]) => Promise<Answers<Q, A>>,
    private readonly atEndOfTurn: (work: () => void) => void,
  ) {}

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
    this.atEndOfTurn(() => {
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
