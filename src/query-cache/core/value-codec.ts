/**
 * Encodes answers for callers in this process with their types: dates, bigint, bytes, `undefined`,
 * maps and sets (HTML structured clone, as `node:v8` writes it) and instances of known classes.
 *
 * The structured clone keeps object identity within one value, so the instances are listed beside
 * the value, by class, and get their prototype back from the list.
 */
import { serialize } from 'node:v8';
import { deserializeInRealm } from './realm-values.js';

type Constructor = new (...args: never[]) => object;

interface Envelope {
  readonly value: unknown;
  readonly instances: Map<string, object[]>;
}

/** A value that would not come back as it was. */
export class UnencodableValueError extends Error {
  constructor(what: string) {
    super(`An answer holds ${what}, which a stored entry cannot give back.`);
    this.name = 'UnencodableValueError';
  }
}

export class ValueCodec {
  readonly #classes: ReadonlyMap<string, Constructor>;
  readonly #names: ReadonlyMap<unknown, string>;

  /** @param classes by a name that is the same in every instance of the service. */
  constructor(classes: ReadonlyMap<string, Constructor>) {
    this.#classes = classes;
    this.#names = new Map([...classes].map(([name, constructor]) => [constructor.prototype, name]));
  }

  /** @throws UnencodableValueError */
  encode(value: unknown): Buffer {
    const instances = new Map<string, object[]>();
    this.#collect(value, instances, new Set());
    return serialize({ value, instances } satisfies Envelope);
  }

  decode(bytes: Buffer): unknown {
    // Bytes in the answer are views of what is read: of a copy, since callers may change them.
    const { value, instances } = deserializeInRealm(Buffer.from(bytes)) as Envelope;
    for (const [name, objects] of instances) {
      const prototype = this.#classes.get(name)?.prototype as object | undefined;
      if (!prototype) throw new UnencodableValueError(`an instance of the unknown class ${name}`);
      for (const object of objects) Object.setPrototypeOf(object, prototype);
    }
    return value;
  }

  #collect(value: unknown, instances: Map<string, object[]>, seen: Set<object>): void {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new UnencodableValueError(`a ${typeof value}`);
    }
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (Array.isArray(value)) {
      for (const item of value) this.#collect(item, instances, seen);
    } else if (value instanceof Map || value instanceof Set) {
      for (const item of value) this.#collect(item, instances, seen);
    } else if (!(value instanceof Date) && !ArrayBuffer.isView(value)) {
      this.#collectObject(value, instances, seen);
    }
  }

  #collectObject(value: object, instances: Map<string, object[]>, seen: Set<object>): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const name = this.#names.get(prototype);
      if (name === undefined) {
        throw new UnencodableValueError(`an instance of ${value.constructor.name}`);
      }
      const known = instances.get(name);
      if (known) known.push(value);
      else instances.set(name, [value]);
    }
    for (const item of Object.values(value)) this.#collect(item, instances, seen);
  }
}
