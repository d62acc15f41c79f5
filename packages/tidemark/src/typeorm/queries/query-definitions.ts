/**
 * Refuses definitions of queries whose answers could be mistaken for one another.
 *
 * An answer is stored under the definition's name and the texts of `map` and `headers`. Functions of one text may
 * close over different values, so such a name must have one definition in all instances that share a cache.
 */

export class AmbiguousQueryError extends Error {
  constructor(name: string) {
    super(
      `Two queries are defined with the name ${name}, and the code of their map and headers reads alike, so the ` +
        'cache cannot tell their answers apart: give each definition its own name, and call defineQuery once ' +
        'for each, at the top level of a module.',
    );
    this.name = 'AmbiguousQueryError';
  }
}

/** Shared by all queries of one `defineQuery`. */
export class Definition {
  hasDouble = false;

  /** @param code tells the definition from others as far as texts can; `undefined` where it has no code. */
  constructor(
    readonly name: string,
    readonly code: string | undefined,
  ) {
    if (code === undefined) return;
    const earlier = DEFINED.get(code);
    if (!earlier) DEFINED.set(code, this);
    else earlier.hasDouble = this.hasDouble = true;
  }
}

/** By code: definitions made since an application last started. Modules make theirs while they are imported. */
const DEFINED = new Map<string, Definition>();

/** The definitions that one application uses. */
export class QueryDefinitions {
  readonly #known = new Map<string, Definition>();

  /**
   * Called when the application starts: takes the definitions that its modules have made.
   *
   * @throws AmbiguousQueryError
   */
  takeDefined(): void {
    const made = [...DEFINED.values()];
    DEFINED.clear();
    for (const definition of made) this.require(definition);
  }

  /** @throws AmbiguousQueryError where the definition has a double, or another one is known by its code. */
  require(definition: Definition): void {
    const { name, code, hasDouble } = definition;
    if (code === undefined) return;
    const known = this.#known.get(code);
    if (known === definition && !hasDouble) return;
    DEFINED.delete(code);
    if (known || hasDouble) throw new AmbiguousQueryError(name);
    this.#known.set(code, definition);
  }
}
