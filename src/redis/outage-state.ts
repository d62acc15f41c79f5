export type RedisState = 'connecting' | 'up' | 'down';

/** Nest's `LoggerService` fits. */
export interface RedisLog {
  log(message: string): void;
  warn(message: string): void;
}

/**
 * What a server that answers is found to lack: its errors (`WRONGPASS invalid username-password pair`), that it is
 * a replica or too old (server-facts.ts), the commands that it refuses.
 */
const SERVER_ERROR = /^(?:[A-Z]{3,} |the server |it refuses )/;

type Listener = (reason: string) => void;

/**
 * Whether Redis can be used: `connecting` until the first success or failure, then `up` or `down`.
 * Each change is logged once and told to the listeners. What the server says meanwhile is logged once, too.
 */
export class OutageState {
  readonly #listeners = { down: new Set<Listener>(), up: new Set<Listener>() };
  #state: RedisState = 'connecting';
  #reason = 'not connected yet';
  /** Of the present outage. */
  #refusal: string | undefined;
  #outages = 0;
  #closed = false;

  /** `address` is for messages; it has no user and no password. */
  constructor(
    private readonly address: string,
    private readonly log: RedisLog,
  ) {}

  get state(): RedisState {
    return this.#state;
  }

  /** Why Redis cannot be used, in words for people; the last reason while it can. */
  get reason(): string {
    return this.#reason;
  }

  /** How often Redis went down. Has grown before the listeners run. */
  get outages(): number {
    return this.#outages;
  }

  fail(reason: string): void {
    if (this.#closed) return;
    this.#reason = reason;
    const isNewRefusal = SERVER_ERROR.test(reason) && reason !== this.#refusal;
    if (isNewRefusal) this.#refusal = reason;
    if (this.#state === 'down' && !isNewRefusal) return;
    this.log.warn(
      `Redis at ${this.address} is not available (${reason}); trying again until it is`,
    );
    if (this.#state === 'down') return;
    this.#state = 'down';
    this.#outages += 1;
    this.#tell('down');
  }

  recover(): void {
    if (this.#closed || this.#state === 'up') return;
    const wasDown = this.#state === 'down';
    this.#state = 'up';
    this.#refusal = undefined;
    if (wasDown) this.log.log(`Redis at ${this.address} is available again`);
    this.#tell('up');
  }

  /** Down for good and on purpose: not an outage, nothing is logged or told. */
  close(): void {
    this.#closed = true;
    this.#state = 'down';
    this.#reason = 'the connection was closed by this process';
  }

  /** Answers a function that takes the listener off again. */
  on(change: 'down' | 'up', listener: Listener): () => void {
    this.#listeners[change].add(listener);
    return () => this.#listeners[change].delete(listener);
  }

  /** A listener that throws must not stop the others, nor the connection. */
  #tell(change: 'down' | 'up'): void {
    for (const listener of [...this.#listeners[change]]) {
      try {
        listener(this.#reason);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        this.log.warn(`A listener to the state of Redis failed: ${text}`);
      }
    }
  }
}
