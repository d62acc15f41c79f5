/** A parameter whose value has no canonical encoding, so that it cannot be part of a key. */
export class UnkeyableParameterError extends Error {
  constructor(parameter: string, problem: string) {
    super(`Parameter ${parameter} ${problem}, so the query has no key.`);
    this.name = 'UnkeyableParameterError';
  }
}

/**
 * One text per value: every part is written with its type, and texts with their length, so that two distinguishable
 * values never have the same text. An object's fields keep their order, since a query may depend on it.
 */
export class CanonicalEncoding {
  /** Characters written so far, without the framing around them. */
  #length = 0;

  /**
   * @param parameter for messages.
   * @param longest limit of the text, in characters; a longer one is refused as soon as the limit is passed.
   */
  constructor(
    private readonly parameter: string,
    private readonly longest: number,
  ) {}

  /**
   * @param value a complete copy (own-copy.ts).
   * @throws UnkeyableParameterError; RangeError for objects that are nested too deeply.
   */
  of(value: unknown): string {
    if (typeof value === 'object' && value !== null) return this.#ofObject(value);
    if (typeof value === 'symbol') this.#refuse('is a symbol');
    const written =
      typeof value === 'string'
        ? text(value)
        : `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)};`;
    this.#count(written.length);
    return written;
  }

  #ofObject(value: object): string {
    this.#count(1);
    if (value instanceof Date) {
      return Number.isNaN(value.getTime()) ? this.#refuse('is no valid date') : `d${+value};`;
    }
    if (value instanceof Uint8Array) {
      this.#count(value.byteLength);
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return (Buffer.isBuffer(value) ? 'x' : 'y') + text(bytes.toString('base64'));
    }
    if (Array.isArray(value)) {
      return value.reduce<string>((written, item) => written + this.of(item), `a${value.length}:`);
    }
    const fields = Object.entries(value);
    const isOrdinary = Object.getPrototypeOf(value) === Object.prototype;
    let written = `${isOrdinary ? 'o' : 'p'}${fields.length}:`;
    for (const [name, field] of fields) {
      this.#count(name.length);
      written += text(name) + this.of(field);
    }
    return written;
  }

  #count(characters: number): void {
    this.#length += characters;
    if (this.#length > this.longest) this.#refuse('is too long');
  }

  #refuse(problem: string): never {
    throw new UnkeyableParameterError(this.parameter, problem);
  }
}

/** The text with its length, so that the next part begins where it ends. */
export function text(value: string): string {
  return `s${value.length}:${value}`;
}
