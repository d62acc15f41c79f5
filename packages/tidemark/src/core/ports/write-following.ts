/**
 * Whether the write side sees every statement of the data source: the read side's port to it. An answer is served or
 * stored only while the hooks of the write side are in place: without them a write would end no answer.
 */

export interface StatementHooks {
  /** Why statements may go unseen at present, and the remedy; `undefined`: none can. */
  readonly gap: string | undefined;
  /** What the write side does not see although its hooks are in place; `undefined`: nothing. */
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

  /** Answers whether these are the hooks that count: another instance of the write side may have been first. */
  followedBy(hooks: StatementHooks): boolean {
    if (this.#hooks !== NO_HOOKS) return false;
    this.#hooks = hooks;
    return true;
  }

  /** To be asked when a read arrives, before anything of the cache is used for it. */
  get isCertain(): boolean {
    const { gap } = this.#hooks;
    if (gap !== this.#warnedOf) {
      this.#warnedOf = gap;
      if (gap !== undefined) this.warn(`Reads go past the cache, since ${gap}.`);
    }
    return gap === undefined;
  }

  /** What is not as it should be, in words; `undefined` when all is well. */
  get degradation(): string | undefined {
    const { gap, blindSpot } = this.#hooks;
    return gap === undefined ? blindSpot : `Reads go past the cache, since ${gap}`;
  }
}
