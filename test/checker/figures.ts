/** The figures of a run. */
import { Bounds } from './bounds.js';

export interface FaultRecord {
  readonly kind: string;
  detail: string;
  readonly startedMs: number;
  endedMs: number | undefined;
  /** From the end of the fault to the first hit of the instance that came last; milliseconds. */
  recoveredMs: number | undefined;
}

/** Another server of Redis has become a primary. */
export interface ElectionRecord {
  readonly kind: string;
  /** From the election to the first hit, of a row written after it, of the instance that came last; milliseconds. */
  readonly recoveredMs: number;
}

export class Figures {
  readonly reads = new Tally();
  readonly failedReads = new Tally();
  readonly writes = new Tally();
  readonly outcomes = new Tally();
  readonly faults: FaultRecord[] = [];
  readonly elections: ElectionRecord[] = [];
  /** The times at which old answers were no violation. */
  readonly bounds: Bounds;
  readonly startedMs: number;
  notModified = 0;
  /** Compressed answers. */
  compressed = 0;
  /** Writes whose outcome stayed unknown. */
  abandoned = 0;
  /** Requests that were not answered although no fault was in their way. */
  readonly hangs: string[] = [];
  /** Answers of 5xx at a time without a fault. */
  readonly oddities: string[] = [];
  slowestReadMs = 0;
  /** Writes past the service. */
  outsideWrites = 0;
  /** How often an instance did not show one of them. */
  outsideLost = 0;
  /** From the commit of each until an instance showed it, in milliseconds: one for each instance. */
  readonly outsideLagsMs: number[] = [];

  constructor(private readonly nowMs: () => number) {
    this.startedMs = nowMs();
    this.bounds = new Bounds(nowMs);
  }

  get seconds(): number {
    return (this.nowMs() - this.startedMs) / 1000;
  }

  get hits(): number {
    return this.reads.of('hit L1') + this.reads.of('hit L2');
  }

  get isFaultUnderWay(): boolean {
    return this.faults.some(({ endedMs }) => endedMs === undefined);
  }

  /** Whether there was a fault within the last so many milliseconds, or there is one. */
  wasFaultWithin(spanMs: number): boolean {
    const since = this.nowMs() - spanMs;
    return this.faults.some(({ endedMs }) => endedMs === undefined || endedMs > since);
  }

  /** The faults around a moment, newest last, for evidence. */
  faultsSince(momentMs: number): readonly FaultRecord[] {
    return this.faults.filter(({ endedMs }) => endedMs === undefined || endedMs > momentMs);
  }
}

/** Counts by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].sort((one, other) => other[1] - one[1]);
  }
}
