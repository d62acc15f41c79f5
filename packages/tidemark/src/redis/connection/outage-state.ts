export type RedisState = 'connecting' | 'up' | 'down';

/** Compatible with Nest's `LoggerService`. */
export interface RedisLog {
  log(message: string): void;
  warn(message: string): void;
}

/**
 * Reasons given by a server that answers: its errors (`WRONGPASS invalid username-password pair`), that it is a replica
 * or too old (server-info.ts), the commands that it refuses, a failure of TLS; and those of Sentinels and of a function
 * for credentials.
 */
const SERVER_ERROR = /^(?:[A-Z]{3,} |the server |it refuses |the sentinels name |the credentials )/;

export const isOfServer = (reason: string): boolean => SERVER_ERROR.test(reason);

/**
 * Whether Redis can be used: `connecting` until the first success or failure, then `up` or `down`. Each change is
 * logged once, and so is each new reason that the server gives meanwhile.
 */
export abstract class OutageState {
  readonly #listeners: Record<'down' | 'up', (() => void)[]> = { down: [], up: [] };
  #state: RedisState = 'connecting';
  #reason = 'not connected yet';
  /** The server's last reason in the current outage. */
  #refusal: string | undefined;
  #outages = 0;
  #closed = false;

  /** `address` is for messages; it contains no user and no password. Without one, outages are not logged. */
  constructor(
    private readonly address: string | undefined,
    private readonly log: RedisLog,
  ) {}

  get state(): RedisState {
    return this.#state;
  }

  /** Why Redis cannot be used, in words for people; while it can, the last reason. */
  get reason(): string {
    return this.#reason;
  }

  /** How often Redis went down. Incremented before the listeners run. */
  get outages(): number {
    return this.#outages;
  }

  onDown(listener: () => void): void {
    this.#listeners.down.push(listener);
  }

  onUp(listener: () => void): void {
    this.#listeners.up.push(listener);
  }

  protected fail(reason: string): void {
    if (this.#closed) return;
    this.#reason = reason;
    const wasDown = this.#state === 'down';
    const isNewRefusal = isOfServer(reason) && reason !== this.#refusal;
    if (isNewRefusal) this.#refusal = reason;
    if (this.address !== undefined && (!wasDown || isNewRefusal)) {
      this.log.warn(
        `Redis at ${this.address} is not available (${reason}); the connection is retried until it is`,
      );
    }
    if (wasDown) return;
    this.#state = 'down';
    this.#outages += 1;
    this.#emit('down');
  }

  protected recover(): void {
    if (this.#closed || this.#state === 'up') return;
    const wasDown = this.#state === 'down';
    this.#state = 'up';
    this.#refusal = undefined;
    if (wasDown && this.address !== undefined)
      this.log.log(`Redis at ${this.address} is available again`);
    this.#emit('up');
  }

  /** Down permanently and on purpose: not an outage, nothing is logged or emitted. */
  protected retire(): void {
    this.#closed = true;
    this.#state = 'down';
    this.#reason = 'the connection was closed by this process';
  }

  /** A listener that throws must not stop the others, nor the connection. */
  #emit(change: 'down' | 'up'): void {
    for (const listener of this.#listeners[change]) {
      try {
        listener();
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        this.log.warn(`A listener to the state of Redis failed: ${text}`);
      }
    }
  }
}
