/**
 * Decides which answers are right.
 *
 * Writes are ordered as PostgreSQL has committed them: state 0, 1, 2, ... An operation is
 * linearizable if there is a time between its start and its end at which it took effect.
 * For a write that time is its commit. A read that answers `a` may take effect in any state i
 * with
 *
 *   floor <= i <= the last state when the read ends,   and   answer(state i) = a
 *
 * where `floor` is the latest state known before the read began: of a write that had been
 * acknowledged, or of a read that had ended. Each read is given the earliest state that
 * fits. That loses nothing: it leaves the most room to every read that begins later, so if any
 * choice of times works, this one does. The order of the commits is taken as given, also of
 * commits that were under way at the same time; that is stricter than linearizability asks, and
 * right for a cache beside one database.
 *
 * An answer is compared whole, so rows of two regions must come from one state.
 */
export interface Given<State> {
  readonly reader: string;
  readonly answer: string;
  /** The answer that would be right in a state. */
  readonly answerOf: (state: State) => string;
  /** The latest state that was known of when the read began. */
  readonly floor: number;
}

export class Linearizability<State> {
  /** Every answer given, in order. */
  readonly given: Given<State>[] = [];
  /** The same in words, with the states known before it and present after it. */
  readonly answers: string[] = [];
  #floor = 0;
  #violation: string | undefined;

  constructor(
    private readonly states: readonly State[],
    private readonly show: (state: State) => string,
  ) {}

  /** The latest known state. */
  get floor(): number {
    return this.#floor;
  }

  get violation(): string | undefined {
    return this.#violation;
  }

  acknowledged(state: number): void {
    this.#floor = Math.max(this.#floor, state);
  }

  answered(given: Given<State>): void {
    this.given.push(given);
    this.answers.push(inWords(given, this.states));
    const right = earliestStateOf(given, this.states);
    if (right !== undefined) {
      this.acknowledged(right);
      return;
    }
    const { reader, answerOf, answer, floor } = given;
    const allowed = this.states
      .slice(floor)
      .map((state, i) => `${answerOf(state)} (state ${floor + i}: ${this.show(state)})`);
    this.#violation ??= `${reader} answers ${answer}; right would be ${allowed.join(' or ')}`;
  }
}

/** The earliest of the states that fits an answer given now; `undefined`: it is wrong. */
export function earliestStateOf<State>(
  { answerOf, answer, floor }: Given<State>,
  states: readonly State[],
): number | undefined {
  const right = states.findIndex((state, i) => i >= floor && answerOf(state) === answer);
  return right === -1 ? undefined : right;
}

export function inWords<State>(
  { reader, answer, floor }: Given<State>,
  states: readonly State[],
): string {
  return `${reader}: ${answer} after ${floor} before ${states.length}`;
}
