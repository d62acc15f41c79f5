/**
 * The states of a territory, and the answers that a read of it may give: the checker's definition of a stale read.
 *
 * ## Territories
 * The users are divided among writers. A **territory** is a set of regions with the users in them,
 * and one writer alone changes it, one write after another: no write is sent before the outcome of
 * the one before is known. So a territory passes through numbered states 0, 1, 2, ... and every
 * write leads from the newest to the next. A **register** is what one read answers about a
 * territory: the list of a region, a user by id (or its absence), the number of users of every
 * region. Its value in every state is known to the byte, because every write puts a number that
 * was never used into the rows it changes.
 *
 * ## The interval of a read
 * A read may answer with the value of any state from its floor to its ceiling:
 * - the **floor** is taken when the read is sent: the newest state whose write had been
 *   acknowledged, or that any read answered by then has proven to be committed, whichever is newer;
 * - the **ceiling** is taken when the answer is there: the newest state whose write has been sent.
 * The whole answer is compared, so one that mixes two states equals none of them.
 *
 * A read proves the *smallest* state of its interval that has its value: where a value comes back
 * later (a region that is empty twice), it proves nothing more. Taking the smallest is not only
 * cautious but exact: the states of a territory are in one order, so if any assignment of states
 * to reads respects the order in time, the smallest one does. A history without a violation is
 * therefore linearizable, territory by territory. Answers that span territories are compared with
 * one another in order-of-states.ts.
 *
 * One thread takes all floors and ceilings: a step later in the thread was later in time, or at the same time.
 *
 * ## Outcomes
 * - *acknowledged*: the floor rises to the write's state;
 * - *revoked*: the write has certainly not happened and cannot happen any more (a 4xx, a refusal
 *   by policy, a request that was never whole, a server process that is dead together with its
 *   database sessions while the rows are as before). Its state is taken back; a read that has seen
 *   it is a violation;
 * - *unknown*: the ceiling has risen, the floor has not. The state stays possible until the
 *   database itself shows the write (then it counts as acknowledged) or it is revoked. While that
 *   takes, the writer sends nothing in this territory; after a while it leaves it for a new one,
 *   and readers go on reading the old one under the wide interval.
 *
 * Ids are given by the database, so the value of a register after an insert may be *unknown* for a
 * while although the state is there. A read that fits no known value is then deferred.
 */

/** The value of a register of an absent user. */
export const ABSENT = 'absent';

/** How long values that no new read may answer are kept, in milliseconds: longer than any read. */
const RETENTION_MS = 90_000;

/** A value of a register, from a state on. */
export interface Version {
  readonly from: number;
  /** `undefined`: not known yet. */
  value: string | undefined;
  /** When it was proposed, in milliseconds of the monotonic clock. */
  readonly sinceMs: number;
}

export type Finding =
  /** The smallest and the largest state of the interval that have this value. */
  | { readonly kind: 'fits'; readonly first: number; readonly last: number }
  /** No known value fits, and one is not known yet. */
  | { readonly kind: 'deferred' }
  | { readonly kind: 'violation' };

/** The states of one territory. */
export class History {
  readonly #registers = new Map<string, Version[]>();
  #acknowledged = 0;
  #sent = 0;
  #proven = 0;

  /** `initial`: the values of state 0; a register that is not named is absent in it. */
  constructor(
    readonly name: string,
    initial: ReadonlyMap<string, string>,
  ) {
    for (const [register, value] of initial) {
      this.#registers.set(register, [{ from: 0, value, sinceMs: 0 }]);
    }
  }

  /** The oldest state that a read sent now may answer. */
  get floor(): number {
    return Math.max(this.#acknowledged, this.#proven);
  }

  /** The newest state that a read answered now may show. */
  get ceiling(): number {
    return this.#sent;
  }

  get isOpen(): boolean {
    return this.#sent > this.#acknowledged;
  }

  /** A write is about to be sent: the values of the next state, where they change. */
  propose(changes: ReadonlyMap<string, string | undefined>, nowMs: number): void {
    if (this.isOpen) throw new Error(`${this.name}: a write is under way already`);
    this.#sent += 1;
    for (const [register, value] of changes) {
      const versions = this.#versionsOf(register);
      versions.push({ from: this.#sent, value, sinceMs: nowMs });
      this.#prune(versions, nowMs);
    }
  }

  /** Values of the newest state that were not known when it was proposed. */
  put(values: ReadonlyMap<string, string>, nowMs: number): void {
    for (const [register, value] of values) {
      const versions = this.#versionsOf(register);
      const newest = versions.at(-1);
      if (newest?.from === this.#sent) newest.value = value;
      else versions.push({ from: this.#sent, value, sinceMs: nowMs });
    }
  }

  /** The write under way has happened. */
  acknowledge(): void {
    this.#acknowledged = this.#sent;
  }

  /** The write under way has not happened. Returns whether no read has seen it. */
  revoke(): boolean {
    const revoked = this.#sent;
    for (const versions of this.#registers.values()) {
      if (versions.at(-1)?.from === revoked) versions.pop();
    }
    this.#sent -= 1;
    const isUnseen = this.#proven < revoked;
    this.#proven = Math.min(this.#proven, this.#sent);
    return isUnseen;
  }

  /** Compares an answer with the states from `floor` to `ceiling`. */
  check(register: string, answer: string, floor: number, ceiling: number): Finding {
    const versions = this.#registers.get(register);
    if (!versions) {
      return answer === ABSENT
        ? { kind: 'fits', first: floor, last: ceiling }
        : { kind: 'violation' };
    }
    let first: number | undefined;
    let last = 0;
    let isDeferred = false;
    for (let index = oldestWithin(versions, floor); index < versions.length; index += 1) {
      const { from, value } = versions[index] as Version;
      if (from > ceiling) break;
      if (value === undefined) isDeferred = true;
      if (value !== answer) continue;
      first ??= Math.max(from, floor);
      last = Math.min((versions[index + 1]?.from ?? Infinity) - 1, ceiling);
    }
    if (first !== undefined) return { kind: 'fits', first, last };
    return isDeferred ? { kind: 'deferred' } : { kind: 'violation' };
  }

  /** A read that fits has been answered: no read sent from now on may show an older state. */
  prove(state: number): void {
    this.#proven = Math.max(this.#proven, state);
  }

  /** The values of a register that are still kept, oldest first. */
  versions(register: string): readonly Readonly<Version>[] {
    return this.#registers.get(register) ?? [];
  }

  #versionsOf(register: string): Version[] {
    let versions = this.#registers.get(register);
    if (!versions) {
      versions = [{ from: 0, value: ABSENT, sinceMs: 0 }];
      this.#registers.set(register, versions);
    }
    return versions;
  }

  #prune(versions: Version[], nowMs: number): void {
    const kept = versions.findIndex((_, index) => {
      const next = versions[index + 1];
      return next === undefined || next.sinceMs > nowMs - RETENTION_MS;
    });
    if (kept > 32) versions.splice(0, kept);
  }
}

/** Index of the version that holds in `state`. */
function oldestWithin(versions: readonly Version[], state: number): number {
  let index = versions.length - 1;
  while (index > 0 && (versions[index] as Version).from > state) index -= 1;
  return index;
}
