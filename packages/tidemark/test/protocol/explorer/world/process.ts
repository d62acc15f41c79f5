/**
 * One process of the service, as the world sees it: what it has sent and waits for, and what it
 * has been told. Between two steps of the world a process does nothing, so what it will do next is
 * decided by what it was told.
 */
import { Operation, Past, type Thread } from './operation.js';

/** Whom a process waits for. */
export type Server = 'redis' | 'postgres' | 'time';

/** Something a process has sent. It happens when the scheduler says so. */
export interface Parked {
  readonly server: Server;
  /** For traces, such as `begin`. Unique among those of a process that can be told apart. */
  readonly label: string;
  /** The step of the world in which it was sent. */
  readonly turn: number;
  /** What led to it. */
  readonly thread: Thread;
  /** Whether it can happen now: a lock may be held, or a time not have come. */
  readonly isReady: () => boolean;
  /** Makes it happen and tells the process, if that still listens. */
  readonly carryOut: () => void;
  /** Makes it happen, telling nobody; answers what the process would be told. */
  readonly tryOut: () => Promise<string>;
  /** What the process was told; `undefined`: nothing. */
  readonly told: () => string | undefined;
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

/** What a process is told that listens no more. */
export const UNHEARD = 'unheard';

const ALWAYS = (): boolean => true;

export class Process {
  parked: Parked[] = [];
  isCrashed = false;
  isConnected = true;
  /** How often it has noticed an outage. */
  shocks = 0;
  /** Shocks after which it is known to trust Redis again. */
  #overcome = 0;
  /** All it was told since a shock, in order. */
  #history: (() => string)[] = [];
  #operations: Operation[] = [];
  /** What it is being told at the moment; what it sends now follows from that. */
  #present: (Thread & { readonly turn: number }) | undefined;

  constructor(
    readonly name: string,
    private readonly turn: () => number,
  ) {}

  /** Whether an operation is under way. */
  get isBusy(): boolean {
    return this.#operations.some(({ isRunning }) => isRunning);
  }

  begin(label: string): Operation {
    const operation = new Operation(label);
    this.#operations.push(operation);
    this.#present = { operation, past: new Past(undefined, () => label), turn: this.turn() };
    return operation;
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
    const thread = this.#present;
    if (!thread) throw new Error(`${this.name} sends of its own accord: ${label}`);
    return new Promise<T>((resolve, reject) => {
      let told: (() => string) | undefined;
      const isHeard = (): boolean => told === undefined && !this.isCrashed;
      // Of all that is told only what leads to a fingerprint is ever put in words.
      const hear = (what: () => string): boolean => {
        if (!isHeard()) return false;
        told = () => `${label}: ${what()}`;
        this.#hear(thread, told);
        return true;
      };
      const succeeded = (value: T): void => {
        if (hear(() => show(value))) resolve(value);
      };
      const failed = (error: Error): void => {
        if (hear(() => error.message)) reject(error);
      };
      const parked: Parked = {
        server,
        label,
        turn: this.turn(),
        thread,
        isReady,
        carryOut: () => {
          this.#remove(parked);
          // An effect that throws at once rejects too.
          new Promise<T>((done) => done(effect())).then(succeeded, failed);
        },
        tryOut: async () => {
          const value = await effect();
          return isHeard() ? `${label}: ${show(value)}` : UNHEARD;
        },
        told: () => told?.(),
        abandon: failed,
        drop: () => this.#remove(parked),
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

  /** It notices an outage. */
  shock(): void {
    this.shocks += 1;
    this.#history.push(() => 'distrusts all');
  }

  /** It has found something trustworthy in a read that began after so many shocks. */
  overcame(shocks: number): void {
    this.#overcome = Math.max(this.#overcome, shocks);
  }

  /** It has done all it can without being told more. */
  rest(): void {
    this.#present = undefined;
    if (this.#operations.length === 0 && this.#history.length === 0) return;
    this.#operations = this.#operations.filter(
      (operation) =>
        operation.isRunning || this.parked.some(({ thread }) => thread.operation === operation),
    );
    if (this.#operations.length === 0 && this.#overcome === this.shocks) this.#history = [];
  }

  /** The commands that are carried out next: those of one connection in order, of one turn together. */
  nextCommands(): readonly Parked[] {
    const queue = this.parked.filter(({ server }) => server === 'redis');
    return queue.filter(({ turn }) => turn === queue[0]?.turn);
  }

  /** The label, or the label with a number where something waits under it already. */
  freeLabel(label: string): string {
    let free = label;
    for (let number = 2; this.parked.some((other) => other.label === free); number += 1) {
      free = `${label} (${number})`;
    }
    return free;
  }

  /** What it sent under that label. */
  find(label: string): Parked {
    const parked = this.parked.find((other) => other.label === label);
    if (!parked) throw new Error(`${this.name} has not sent: ${label}`);
    return parked;
  }

  /** All that decides what it will do; fingerprint.ts says why. */
  describe(): string {
    const turns = [...new Set(this.parked.map(({ turn }) => turn))];
    const sent = this.parked.map(
      ({ label, turn, thread, isReady }) =>
        `${turns.indexOf(turn)} ${label} ${isReady()} after ${thread.past.text}`,
    );
    return [
      `${this.isConnected} ${this.isCrashed}`,
      ...this.#history.map((what) => what()),
      ...this.#operations.map((operation) => operation.describe()),
      ...sent,
    ].join('\n');
  }

  #hear(thread: Thread, what: () => string): void {
    const turn = this.turn();
    const { operation } = thread;
    // What is told in one step is one thing: a reader waits for both its commands of one turn.
    const isMore = this.#present?.turn === turn && this.#present.operation === operation;
    const before = isMore && this.#present ? this.#present.past : thread.past;
    const past = new Past(before, what);
    operation.heard(before, past);
    this.#present = { operation, past, turn };
    if (this.shocks > 0) this.#history.push(what);
  }

  #remove(done: Parked): void {
    this.parked = this.parked.filter((parked) => parked !== done);
  }
}
