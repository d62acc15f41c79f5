import type { RedisLog } from './outage-state.js';

/** A server near its limit refuses one command and takes the next: it has room after so long. */
const QUIET_MS = 3_000;

/** Whether the server is at its memory limit and refuses what needs more. Each change is logged once. */
export class MemoryState {
  #isFull = false;
  #refusedAtMs = 0;
  #listener = (): void => undefined;

  /** `address` is for messages; it has no user and no password. */
  constructor(
    private readonly address: string,
    private readonly log: RedisLog,
  ) {}

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Calls the one listener for each command that is refused. */
  onRefused(listener: () => void): void {
    this.#listener = listener;
  }

  /** A command was refused for want of memory. */
  refused(): void {
    this.#refusedAtMs = performance.now();
    this.#listener();
    if (this.#isFull) return;
    this.#isFull = true;
    this.log.warn(
      `Redis at ${this.address} has reached its maxmemory and refuses to store answers, so reads ` +
        'go to the database; raise maxmemory, or set maxmemory-policy to volatile-lru',
    );
  }

  /** A command that needs memory was carried out. */
  granted(): void {
    if (!this.#isFull || performance.now() - this.#refusedAtMs < QUIET_MS) return;
    this.#isFull = false;
    this.log.log(`Redis at ${this.address} has room for answers again`);
  }
}
