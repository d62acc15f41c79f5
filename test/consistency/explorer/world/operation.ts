/** A line of consequences within an operation: each call follows from what was told before it. */
export interface Thread {
  readonly operation: Operation;
  /** What was told along the line, in order. */
  readonly past: string;
}

/** A read or a write, and what it has set going in the background. */
export class Operation {
  isRunning = true;
  /** The lines that ended, or that have not been followed any further yet. */
  readonly #lines = new Set<string>();

  constructor(private readonly label: string) {}

  /** A line has become longer. */
  heard(before: string | undefined, past: string): void {
    if (before !== undefined) this.#lines.delete(before);
    this.#lines.add(past);
  }

  end(): void {
    this.isRunning = false;
  }

  describe(): string {
    return [`${this.label} ${this.isRunning}`, ...[...this.#lines].toSorted()].join('\n');
  }
}
