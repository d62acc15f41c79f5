/** The answers along a line, the latest last. They are put in words on demand. */
export class Past {
  #text: string | undefined;

  constructor(
    private readonly before: Past | undefined,
    private readonly latest: () => string,
  ) {}

  get text(): string {
    this.#text ??= this.before ? `${this.before.text}; ${this.latest()}` : this.latest();
    return this.#text;
  }
}

/** A line of consequences within an operation: each call follows from the answers before it. */
export interface Thread {
  readonly operation: Operation;
  readonly past: Past;
}

/** A read or a write, with its work in the background. */
export class Operation {
  isRunning = true;
  /** The lines that ended, or that have not been followed any further yet. */
  readonly #lines = new Set<Past>();

  constructor(private readonly label: string) {}

  /** A line has become longer. */
  extend(before: Past, past: Past): void {
    this.#lines.delete(before);
    this.#lines.add(past);
  }

  end(): void {
    this.isRunning = false;
  }

  describe(): string {
    const lines = new Set([...this.#lines].map(({ text }) => text));
    return [`${this.label} ${this.isRunning}`, ...[...lines].toSorted()].join('\n');
  }
}
