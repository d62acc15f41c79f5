/**
 * One process of the service, as the world sees it: the calls that it has sent and waits for, and the answers that it
 * has received. Between two steps of the world a process does nothing, so its answers decide its next calls.
 */
import { Operation, Past, type Thread } from './operation.js';

/** A server that a process waits for: that of a bucket of Redis by its number, or another one. */
export type Server = number | 'postgres' | 'time';

/** A call that a process has sent. The scheduler decides when it is carried out. */
export interface Parked {
  readonly server: Server;
  /** For traces, such as `begin`. Unique among the calls of a process that differ. */
  readonly label: string;
  /** The step of the world in which it was sent. */
  readonly turn: number;
  /** The line of consequences that led to it. */
  readonly thread: Thread;
  /** Whether it can be carried out now: a lock may be held, or a time not have come. */
  readonly isReady: () => boolean;
  /** Carries it out and gives the answer to the process, if that still waits. */
  readonly carryOut: () => void;
  /** Carries it out without giving the answer to the process; resolves with that answer. */
  readonly tryOut: () => Promise<string>;
  /** The answer that the process received; `undefined`: none yet. */
  readonly received: () => string | undefined;
  /** Rejects it for the process; it may still be carried out. */
  readonly abandon: (error: Error) => void;
  /** It will never be carried out. */
  readonly drop: () => void;
}

export interface CallOptions<T> {
  readonly isReady?: () => boolean;
  /** The part of the answer that decides the next steps of the process. */
  readonly show?: (value: T) => string;
}

/** The answer of a call for which the process no longer waits. */
export const IGNORED = 'ignored';

const ALWAYS = (): boolean => true;

export class Process {
  parked: Parked[] = [];
  isCrashed = false;
  /** The buckets whose servers it cannot reach. */
  readonly away = new Set<number>();
  /** By bucket: how often it has noticed an outage. An absent bucket had none. */
  shocks: ReadonlyMap<number, number> = new Map();
  /** By bucket: the shocks after which it is known to trust the bucket again. */
  readonly #overcome = new Map<number, number>();
  /** All answers since a shock, in order. */
  #history: (() => string)[] = [];
  #operations: Operation[] = [];
  /** The latest answer: calls that it sends now follow from that. */
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
    if (!this.reaches(server)) {
      return Promise.reject(new Error('The store is away.'));
    }
    const thread = this.#present;
    if (!thread) throw new Error(`${this.name} sends without a cause: ${label}`);
    return new Promise<T>((resolve, reject) => {
      let received: (() => string) | undefined;
      const isAwaited = (): boolean => received === undefined && !this.isCrashed;
      // Only answers that a fingerprint covers are ever put in words.
      const receive = (what: () => string): boolean => {
        if (!isAwaited()) return false;
        received = () => `${label}: ${what()}`;
        this.#receive(thread, received);
        return true;
      };
      const succeeded = (value: T): void => {
        if (receive(() => show(value))) resolve(value);
      };
      const failed = (error: Error): void => {
        if (receive(() => error.message)) reject(error);
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
          return isAwaited() ? `${label}: ${show(value)}` : IGNORED;
        },
        received: () => received?.(),
        abandon: failed,
        drop: () => this.#remove(parked),
      };
      this.parked.push(parked);
    });
  }

  /** Removes a timer that is no longer needed. */
  cancel(label: string): void {
    this.parked = this.parked.filter((parked) => parked.label !== label);
  }

  /** Its calls stay under way; nothing follows from their answers. */
  crash(): void {
    this.isCrashed = true;
    this.parked = this.parked.filter(({ server }) => server !== 'time');
  }

  reaches(server: Server): boolean {
    return typeof server !== 'number' || !this.away.has(server);
  }

  /** It notices an outage of the bucket. */
  shock(bucket: number): void {
    this.shocks = new Map(this.shocks).set(bucket, (this.shocks.get(bucket) ?? 0) + 1);
    this.#history.push(() => `distrusts ${bucket}`);
  }

  /** A read of all tables of the bucket, begun after these shocks, has found them trustworthy. */
  overcame(bucket: number, shocks: ReadonlyMap<number, number>): void {
    const before = this.#overcome.get(bucket) ?? 0;
    this.#overcome.set(bucket, Math.max(before, shocks.get(bucket) ?? 0));
  }

  /** Called when it can do nothing more without another answer. */
  rest(): void {
    this.#present = undefined;
    if (this.#operations.length === 0 && this.#history.length === 0) return;
    this.#operations = this.#operations.filter(
      (operation) =>
        operation.isRunning || this.parked.some(({ thread }) => thread.operation === operation),
    );
    if (this.#operations.length === 0 && this.#hasOvercomeAll()) this.#history = [];
  }

  /**
   * The commands that each bucket carries out next: those of one connection in order, of one turn together. Commands to
   * two buckets have no order.
   */
  nextCommands(): readonly (readonly Parked[])[] {
    const buckets = new Set(this.parked.map(({ server }) => server).filter(isBucket));
    return [...buckets]
      .toSorted((a, b) => a - b)
      .map((bucket) => {
        const queue = this.parked.filter(({ server }) => server === bucket);
        return queue.filter(({ turn }) => turn === queue[0]?.turn);
      });
  }

  /** The label, or the label with a number where something waits under it already. */
  freeLabel(label: string): string {
    let free = label;
    for (let number = 2; this.parked.some((other) => other.label === free); number += 1) {
      free = `${label} (${number})`;
    }
    return free;
  }

  /** The call that it sent under that label. */
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
      `${[...this.away].toSorted().join()} ${this.isCrashed}`,
      ...this.#history.map((what) => what()),
      ...this.#operations.map((operation) => operation.describe()),
      ...sent,
    ].join('\n');
  }

  #receive(thread: Thread, what: () => string): void {
    const turn = this.turn();
    const { operation } = thread;
    // The answers of one step count as one: a reader waits for both its commands of one turn.
    const isMore = this.#present?.turn === turn && this.#present.operation === operation;
    const before = isMore && this.#present ? this.#present.past : thread.past;
    const past = new Past(before, what);
    operation.extend(before, past);
    this.#present = { operation, past, turn };
    if (this.shocks.size > 0) this.#history.push(what);
  }

  #hasOvercomeAll(): boolean {
    return [...this.shocks].every(([bucket, shocks]) => this.#overcome.get(bucket) === shocks);
  }

  #remove(done: Parked): void {
    this.parked = this.parked.filter((parked) => parked !== done);
  }
}

function isBucket(server: Server): server is number {
  return typeof server === 'number';
}
