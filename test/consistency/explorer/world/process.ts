/**
 * One process of the service, as the world sees it: what it has sent and waits for, and what it has
 * been told. Between two steps of the world a process does nothing, so what it will do next is
 * decided by what it was told (process-memory.ts).
 */

/** Whom a process waits for. */
export type Server = 'redis' | 'postgres' | 'time';

/** Something a process has sent. It happens when the scheduler says so. */
export interface Parked {
  readonly server: Server;
  /** For traces, such as `begin US`. */
  readonly label: string;
  /** The step of the world in which it was sent. */
  readonly turn: number;
  /** Whether it can happen now: a lock may be held, or a time not have come. */
  readonly isReady: () => boolean;
  /** Makes it happen and tells the process, if that still listens. */
  readonly carryOut: () => void;
  /** Tells the process that it has failed; whether it happens is not decided by that. */
  readonly abandon: (error: Error) => void;
  /** It will never happen. */
  readonly drop: () => void;
}

export interface CallOptions<T> {
  readonly isReady?: () => boolean;
  /** The answer as it counts for what the process does next. */
  readonly show?: (value: T) => string;
}

const ALWAYS = (): boolean => true;

export class Process {
  parked: Parked[] = [];
  /** Operations under way. */
  running = 0;
  isCrashed = false;
  isConnected = true;
  /** What it was told since it last was at rest. */
  history: string[] = [];

  constructor(
    readonly name: string,
    private readonly turn: () => number,
  ) {}

  get isAtRest(): boolean {
    return this.running === 0 && this.parked.length === 0;
  }

  /** Sends something; the promise settles when the scheduler lets it happen. */
  call<T>(
    server: Server,
    label: string,
    effect: () => T | Promise<T>,
    { isReady = ALWAYS, show = JSON.stringify as (value: T) => string }: CallOptions<T> = {},
  ): Promise<T> {
    if (server === 'redis' && !this.isConnected) {
      return Promise.reject(new Error('The store is away.'));
    }
    return new Promise<T>((resolve, reject) => {
      let isHeard = true;
      const tell = (what: string, settle: () => void): void => {
        if (!isHeard || this.isCrashed) return;
        isHeard = false;
        this.history.push(`${label}: ${what}`);
        settle();
      };
      const failed = (error: Error): void => tell(error.message, () => reject(error));
      const parked: Parked = {
        server,
        label,
        turn: this.turn(),
        isReady,
        carryOut: () => {
          this.#forget(parked);
          // An effect that throws at once rejects too.
          new Promise<T>((done) => done(effect())).then(
            (value) => tell(show(value), () => resolve(value)),
            failed,
          );
        },
        abandon: failed,
        drop: () => this.#forget(parked),
      };
      this.parked.push(parked);
    });
  }

  /** Nobody waits for a timer that is no longer needed. */
  cancel(label: string): void {
    this.parked = this.parked.filter((parked) => parked.label !== label);
  }

  /** What it sent stays on its way; what it would have done with the answers does not happen. */
  crash(): void {
    this.isCrashed = true;
    this.parked = this.parked.filter(({ server }) => server !== 'time');
  }

  /** Commands of one connection are carried out in order, those of one turn together. */
  nextCommands(): readonly Parked[] {
    const queue = this.parked.filter(({ server }) => server === 'redis');
    return queue.filter(({ turn }) => turn === queue[0]?.turn);
  }

  /** What it sent under that label. */
  find(label: string): Parked {
    const parked = this.parked.find((other) => other.label === label);
    if (!parked) throw new Error(`${this.name} has not sent: ${label}`);
    return parked;
  }

  #forget(done: Parked): void {
    this.parked = this.parked.filter((parked) => parked !== done);
  }
}
