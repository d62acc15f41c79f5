/**
 * The read side's port to the write side: does the write side see every statement of the data source? An answer is
 * served or stored only while the hooks of the write side are in place: without them a write would invalidate no
 * answer.
 */

export interface StatementHooks {
  /** Why statements may currently go unseen, and the remedy; `undefined`: none can. */
  readonly gap: string | undefined;
  /** The writes that the write side does not see although its hooks are in place; `undefined`: none. */
  readonly blindSpot: string | undefined;
}

const NOT_STARTED: StatementHooks = {
  gap: 'the application is starting',
  blindSpot: undefined,
};

/** Nothing is written over the data source. */
const NO_WRITES: StatementHooks = { gap: undefined, blindSpot: undefined };

export class WriteFollowing {
  #hooks = NOT_STARTED;
  #warnedOf: string | undefined;

  /** @param warn gets one line for each new reason. */
  constructor(private readonly warn: (line: string) => void) {}

  /** The hooks are in place, as far as they can be. Absent: nothing is written. */
  followedBy(hooks = NO_WRITES): void {
    this.#hooks = hooks;
  }

  /** Whether the hooks have been put in place. */
  get hasStarted(): boolean {
    return this.#hooks !== NOT_STARTED;
  }

  /** Must be read when a request arrives, before it uses anything from the cache. */
  get isCertain(): boolean {
    const { gap } = this.#hooks;
    if (gap !== this.#warnedOf) {
      this.#warnedOf = gap;
      if (gap !== undefined) this.warn(`Reads go past the cache, since ${gap}.`);
    }
    return gap === undefined;
  }

  /** The degradation in words; `undefined` if there is none. */
  get degradation(): string | undefined {
    const { gap, blindSpot } = this.#hooks;
    return gap === undefined ? blindSpot : `Reads go past the cache, since ${gap}`;
  }
}
