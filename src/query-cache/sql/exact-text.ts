/**
 * One text for each value: every part is written with its type and length, so that no two values that can be
 * told apart have the same text. What cannot be written so is refused.
 */
import { isDate, isProxy } from 'node:util/types';
import { hidesFields } from './field-objects.js';

/** Lists and objects within one another, and in all. */
const MOST_DEPTH = 100;
const MOST_OBJECTS = 10_000;

/** Classes of bytes and of numbers that are kept as bytes. */
export const BYTES = [
  Buffer,
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
  DataView,
];

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
  #depth = 0;
  #objects = 0;
  /** Of what has been written, without what is put around it. */
  #length = 0;

  /**
   * @param parameter for messages.
   * @param longest text, in characters; what would be longer is refused as soon as that is seen.
   */
  constructor(
    private readonly parameter: string,
    private readonly writeObject: ObjectWriter,
    private readonly longest: number,
  ) {}

  /** @throws UnkeyableParameterError, or what a getter of the value throws. */
  of(value: unknown): string {
    if (typeof value === 'object' && value !== null) return this.#ofObject(value);
    const written = this.#ofPrimitive(value);
    this.#count(written.length);
    return written;
  }

  #ofPrimitive(value: unknown): string {
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

  /** An object by its fields, in their order, which a query may follow too. */
  ofFields(value: object): string {
    if (hidesFields(value)) this.refuse('has fields that are hidden or without a name');
    const names = Object.keys(value);
    const isOrdinary = Object.getPrototypeOf(value) === Object.prototype;
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

  #ofObject(value: object): string {
    if (isDate(value)) return this.#ofDate(value);
    if (ArrayBuffer.isView(value)) return this.#ofBytes(value);
    this.#objects += 1;
    this.#depth += 1;
    // Whoever has a circle in it gets no further either.
    if (this.#depth > MOST_DEPTH || this.#objects > MOST_OBJECTS) this.refuse('has too much in it');
    const written = Array.isArray(value) ? this.#ofList(value) : this.writeObject(value, this);
    this.#depth -= 1;
    return written;
  }

  #ofDate(value: Date): string {
    this.#requireNothingBut(Date.prototype, value, 0);
    const time = value.getTime();
    return Number.isNaN(time) ? this.refuse('is no valid date') : `d${time};`;
  }

  #ofBytes(value: ArrayBufferView): string {
    const prototype = Object.getPrototypeOf(value) as object;
    const kind = BYTES.find((made) => made.prototype === prototype)?.name;
    if (kind === undefined) return this.refuse('is bytes of a class of their own');
    this.#count(value.byteLength);
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `x${text(kind)}${text(bytes.toString('base64'))}`;
  }

  #ofList(values: readonly unknown[]): string {
    // Looking at all its keys takes long as well, of which its length is one.
    if (values.length > this.longest) this.refuse('is too long');
    this.#requireNothingBut(Array.prototype, values, values.length + 1);
    let written = `a${values.length}:`;
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index];
      if (value === undefined && !Object.hasOwn(values, index)) this.refuse('is a list with holes');
      written += this.of(value);
    }
    return written;
  }

  #requireNothingBut(prototype: object, value: object, keys: number): void {
    const isOrdinary = Object.getPrototypeOf(value) === prototype && !isProxy(value);
    if (!isOrdinary || Reflect.ownKeys(value).length !== keys) {
      this.refuse('is a list or date with more or less to it');
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
