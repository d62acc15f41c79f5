/**
 * One text for each value: every part is written with its type, and texts with their length, so that no two values
 * that can be told apart have the same text. The values are copies that are whole (own-copy.ts).
 */

/** A parameter whose value has no exact text, so that it cannot be part of a key. */
export class UnkeyableParameterError extends Error {
  constructor(parameter: string, problem: string) {
    super(`Parameter ${parameter} ${problem}, so the query has no key.`);
    this.name = 'UnkeyableParameterError';
  }
}

/** Writes an object that is no list, date or bytes. */
export type ObjectWriter = (value: object, texts: ExactText) => string;

export class ExactText {
  /** Of what has been written, without what is put around it. */
  #length = 0;

  /**
   * @param parameter for messages.
   * @param longest text, in characters; a longer one is refused as soon as that is seen.
   */
  constructor(
    private readonly parameter: string,
    private readonly writeObject: ObjectWriter,
    private readonly longest: number,
  ) {}

  /** @throws UnkeyableParameterError; RangeError for objects that lie too deep in one another. */
  of(value: unknown): string {
    if (typeof value !== 'object' || value === null) {
      const written = this.#primitive(value);
      this.#count(written.length);
      return written;
    }
    this.#count(1);
    if (value instanceof Date) {
      return Number.isNaN(value.getTime()) ? this.refuse('is no valid date') : `d${+value};`;
    }
    if (value instanceof Uint8Array) {
      this.#count(value.byteLength);
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return (Buffer.isBuffer(value) ? 'x' : 'y') + text(bytes.toString('base64'));
    }
    if (!Array.isArray(value)) return this.writeObject(value, this);
    return value.reduce<string>((written, item) => written + this.of(item), `a${value.length}:`);
  }

  /** An object by its fields, in their order, which a query may follow too. */
  ofFields(value: object): string {
    const isOrdinary = Object.getPrototypeOf(value) === Object.prototype;
    const names = Object.keys(value);
    let written = `${isOrdinary ? 'o' : 'p'}${names.length}:`;
    for (const name of names) {
      this.#count(name.length);
      written += text(name) + this.of(Reflect.get(value, name));
    }
    return written;
  }

  refuse(problem: string): never {
    throw new UnkeyableParameterError(this.parameter, problem);
  }

  #primitive(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return text(value);
      case 'number':
        return `n${Object.is(value, -0) ? '-0' : String(value)};`;
      case 'bigint':
        return `b${String(value)};`;
      case 'boolean':
        return value ? 't' : 'f';
      case 'undefined':
        return 'u';
      case 'object':
        return '0';
      default:
        return this.refuse(`is a ${typeof value}`);
    }
  }

  #count(characters: number): void {
    this.#length += characters;
    if (this.#length > this.longest) this.refuse('is too long');
  }
}

/** Any text, so that the next one begins where it ends. */
export function text(value: string): string {
  return `s${value.length}:${value}`;
}
