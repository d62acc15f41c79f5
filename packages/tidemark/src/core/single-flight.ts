/**
 * One run per key in this process. Later callers share its outcome, a failure too. A caller after a failure starts
 * another run. A run removes only its own registration.
 */
import { within, type Timers } from './ports/clock.js';

export interface SingleFlightOptions {
  /** Callers that may wait on one run. */
  readonly maxWaiters: number;
  /** How long a caller waits, in milliseconds. */
  readonly maxWaitMs: number;
}

interface Flight<T> {
  readonly promise: Promise<T>;
  waiters: number;
}

export type FlightOutcome<T> =
  | { readonly role: 'leader' | 'waiter'; readonly value: T }
  /** The run took too long, or too many callers wait for it already. */
  | { readonly role: 'turned-away' };

export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  constructor(
    private readonly timers: Timers,
    private readonly options: SingleFlightOptions,
  ) {}

  async run(key: string, work: () => Promise<T>): Promise<FlightOutcome<T>> {
    const running = this.#flights.get(key);
    if (running) return this.#wait(running);
    const flight: Flight<T> = { promise: work(), waiters: 0 };
    this.#flights.set(key, flight);
    try {
      return { role: 'leader', value: await flight.promise };
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }

  async #wait(flight: Flight<T>): Promise<FlightOutcome<T>> {
    if (flight.waiters >= this.options.maxWaiters) return { role: 'turned-away' };
    flight.waiters += 1;
    try {
      const ended = await within(this.timers, this.options.maxWaitMs, flight.promise);
      return ended ? { role: 'waiter', value: ended.value } : { role: 'turned-away' };
    } finally {
      flight.waiters -= 1;
    }
  }
}
