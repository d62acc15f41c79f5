/** What was told along a line, the latest last. It is put in words only when somebody asks. */
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

/** A line of consequences within an operation: each call follows from what was told before it. */
export interface Thread {
  readonly operation: Operation;
  readonly past: Past;
}

/** A read or a write, and what it has set going in the background. */
export class Operation {
  isRunning = true;
  /** The lines that ended, or that have not been followed any further yet. */
  readonly #lines = new Set<Past>();

  constructor(private readonly label: string) {}

  /** A line has become longer. */
  heard(before: Past, past: Past): void {
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
