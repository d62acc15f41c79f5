import { EventEmitter } from 'node:events';

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

interface OutageEvents {
  down: [reason: string];
  up: [];
}

/**
 * Whether Redis can be used: `connecting` until the first success or failure, then `up` or `down`.
 * Each change is logged once and told to the listeners. What the server says meanwhile is logged once, too.
 */
export class OutageState {
  readonly #events = new EventEmitter<OutageEvents>().setMaxListeners(0);
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
    this.#tell('down', reason);
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
  on<K extends keyof OutageEvents>(
    event: K,
    listener: (...details: OutageEvents[K]) => void,
  ): () => void {
    const plain = listener as (...details: unknown[]) => void;
    (this.#events as EventEmitter).on(event, plain);
    return () => (this.#events as EventEmitter).off(event, plain);
  }

  /** A listener that throws must not stop the others, nor the connection. */
  #tell<K extends keyof OutageEvents>(event: K, ...details: OutageEvents[K]): void {
    for (const listener of (this.#events as EventEmitter).listeners(event)) {
      try {
        (listener as (...details: OutageEvents[K]) => void)(...details);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        this.log.warn(`A listener to the state of Redis failed: ${text}`);
      }
    }
  }
}
