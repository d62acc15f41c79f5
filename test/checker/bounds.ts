/**
 * The times at which an old answer is no violation: from the start of a fault with a bound until the bound after its
 * end. docs/consistency.md names the same bounds; README.md has the limits behind them.
 *
 * The time at which a read was under way counts: a read that was sent after the bound is checked like any other.
 */

export interface Bound {
  /** The writes that answers may lack, and until when. */
  readonly promise: string;
  /** After the end of the fault, in milliseconds. */
  readonly ms: number;
}

export type BoundName =
  'older-data' | 'mark-deleted' | 'unpublished' | 'triggers-off' | 'two-primaries';

export const BOUNDS: Readonly<Record<BoundName, Bound>> = {
  'older-data': {
    promise: 'Redis holds older data under the same run_id: until the next heartbeat',
    ms: 1_000,
  },
  'mark-deleted': {
    promise: 'a mark was deleted between begin and COMMIT: until the end of that write',
    ms: 1_000,
  },
  unpublished: {
    promise: 'CACHE_WRITE_POLICY=commit without Redis: until the outbox has been relayed',
    ms: 5_000,
  },
  'two-primaries': {
    promise:
      'a primary that was cut off accepts writes beside the new one: until it is found again',
    ms: 5_000,
  },
  'triggers-off': {
    promise: 'rows written while triggers were disabled: until the relay looks for that again',
    ms: 5_000,
  },
};

/** A span of time, in milliseconds of the monotonic clock. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Allowance {
  /** Old answers. */
  answers: number;
  /** How long after the end of a fault the last of them was sent, in milliseconds. */
  latestMs: number;
}

interface Opening {
  readonly name: BoundName;
  readonly openedMs: number;
  closedMs: number | undefined;
}

export class Bounds {
  readonly #openings: Opening[] = [];
  readonly #used = new Map<BoundName, Allowance>();

  constructor(private readonly nowMs: () => number) {}

  /** A fault begins. Returns a function to be called at its end. */
  open(name: BoundName): () => void {
    const opening: Opening = { name, openedMs: this.nowMs(), closedMs: undefined };
    this.#openings.push(opening);
    return () => {
      opening.closedMs ??= this.nowMs();
    };
  }

  /** Whether a read within the span may have an old answer. */
  covers(span: Span): boolean {
    return this.#coveringOf(span) !== undefined;
  }

  /** The same for a read with an old answer, which it counts. */
  allow(span: Span): boolean {
    const opening = this.#coveringOf(span);
    if (!opening) return false;
    const { name, closedMs } = opening;
    const used = this.#used.get(name) ?? { answers: 0, latestMs: 0 };
    used.answers += 1;
    used.latestMs = Math.max(used.latestMs, closedMs === undefined ? 0 : span.fromMs - closedMs);
    this.#used.set(name, used);
    return true;
  }

  get used(): ReadonlyMap<BoundName, Allowance> {
    return this.#used;
  }

  #coveringOf({ fromMs, untilMs }: Span): Opening | undefined {
    return this.#openings.findLast(
      ({ name, openedMs, closedMs }) =>
        untilMs >= openedMs && (closedMs === undefined || fromMs <= closedMs + BOUNDS[name].ms),
    );
  }
}
