import { systemClock, type Clock } from '../ports/clock.js';
import { InstanceBoard } from '../ports/instance-board.js';

/** A board for a service that runs as one process. */
export class MemoryInstanceBoard extends InstanceBoard {
  readonly #reports = new Map<string, { readonly report: string; readonly deadlineMs: number }>();
  #mode: string | undefined;

  constructor(private readonly clock: Clock = systemClock) {
    super();
  }

  override async publish(
    id: string,
    report: string,
    ttlMs: number,
    mode?: string,
  ): Promise<string | undefined> {
    this.#reports.set(id, { report, deadlineMs: this.clock.nowMs() + ttlMs });
    this.#mode ??= mode;
    return this.#mode;
  }

  override async read(): Promise<readonly string[]> {
    for (const [id, { deadlineMs }] of this.#reports) {
      if (deadlineMs <= this.clock.nowMs()) this.#reports.delete(id);
    }
    return Array.from(this.#reports.values(), ({ report }) => report);
  }

  override async remove(id: string): Promise<void> {
    this.#reports.delete(id);
  }

  override async setMode(mode: string): Promise<void> {
    this.#mode = mode;
  }
}
