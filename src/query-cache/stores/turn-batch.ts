/**
 * Reads keys for all callers of one turn of the event loop in one round trip.
 *
 * The first call of a turn schedules the read with `setImmediate`. The check phase, where it runs,
 * follows the poll phase, where the requests of all sockets that had something to say are handled
 * one after the other; a microtask or `nextTick` would run after the first of them already. A
 * timer would let the loop sleep in between; with an immediate pending it does not.
 */
export interface BatchAnswer<A> {
  readonly answer: A;
  /** Where the value of each key asked for is in the answer, in the order of the call. */
  readonly positions: readonly number[];
}

interface Batch<A> {
  readonly positions: Map<string, number>;
  readonly answer: Promise<A>;
}

export class TurnBatch<A> {
  #open: Batch<A> | undefined;

  /** `read` gets each key once. */
  constructor(private readonly read: (keys: readonly string[]) => Promise<A>) {}

  /** Rejects when the read of the turn does. */
  async ask(keys: readonly string[]): Promise<BatchAnswer<A>> {
    const batch = (this.#open ??= this.#schedule());
    const positions = keys.map((key) => {
      const known = batch.positions.get(key);
      if (known !== undefined) return known;
      const position = batch.positions.size;
      batch.positions.set(key, position);
      return position;
    });
    return { answer: await batch.answer, positions };
  }

  #schedule(): Batch<A> {
    const positions = new Map<string, number>();
    const answer = new Promise<A>((resolve, reject) => {
      setImmediate(() => {
        this.#open = undefined;
        this.read([...positions.keys()]).then(resolve, reject);
      });
    });
    return { positions, answer };
  }
}
