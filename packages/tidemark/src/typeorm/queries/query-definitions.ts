/**
 * Refuses query definitions whose answers could be confused.
 *
 * An answer is stored under the name of the definition and the source texts of `map`, `answer` and `headers`. Functions with
 * equal text may close over different values, so such a name must have one definition in all instances that share a
 * cache.
 */

export class AmbiguousQueryError extends Error {
  constructor(name: string) {
    super(
      `Two queries are defined with the name ${name}, and the code of their map, answer and headers reads alike, so the ` +
        'cache cannot distinguish their answers: give each definition its own name, and call defineQuery once ' +
        'for each, at the top level of a module.',
    );
    this.name = 'AmbiguousQueryError';
  }
}

/** Shared by all queries of one `defineQuery`. */
export class Definition {
  hasDouble = false;

  /** @param code identifies the definition as far as source text can; `undefined` if it has no functions. */
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

/**
 * By code: the definitions created since an application last started. Modules create theirs while they are imported.
 */
const DEFINED = new Map<string, Definition>();

/** The definitions that one application uses. */
export class QueryDefinitions {
  readonly #known = new Map<string, Definition>();

  /**
   * Call when the application starts: collects the definitions that its modules have created.
   *
   * @throws AmbiguousQueryError
   */
  takeDefined(): void {
    const made = [...DEFINED.values()];
    DEFINED.clear();
    for (const definition of made) this.require(definition);
  }

  /** @throws AmbiguousQueryError if the definition has a double, or its code belongs to another definition. */
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
