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

const NO_HOOKS: StatementHooks = {
  gap:
    'nothing follows the writes of the data source. Import CacheInvalidationModule.forRoot() ' +
    'beside QueryCacheModule, and each of the two once in the application',
  blindSpot: undefined,
};

export class WriteFollowing {
  #hooks = NO_HOOKS;
  #warnedOf: string | undefined;

  /** @param warn gets one line for each new reason. */
  constructor(private readonly warn: (line: string) => void) {}

  /** Returns whether these are the hooks that count: another instance of the write side may have been first. */
  followedBy(hooks: StatementHooks): boolean {
    if (this.#hooks !== NO_HOOKS) return false;
    this.#hooks = hooks;
    return true;
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
