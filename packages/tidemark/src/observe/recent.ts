/** The last values, at most so many. */
export class Recent<T> {
  readonly #values: T[] = [];
  #next = 0;

  constructor(private readonly kept: number) {}

  add(value: T): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.kept;
  }

  change(to: (value: T) => T): void {
    for (const [place, value] of this.#values.entries()) this.#values[place] = to(value);
  }

  /** The latest first. */
  read(): T[] {
    return [...this.#values.slice(this.#next), ...this.#values.slice(0, this.#next)].reverse();
  }
}
