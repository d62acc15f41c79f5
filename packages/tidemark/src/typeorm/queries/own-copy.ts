/** Copies a caller's values, which the caller may change while the cache still needs them. */
import { isProxy } from 'node:util/types';

/** Stops at circular references, and at objects referenced in very many places. */
const MAX_OBJECTS = 100_000;

export interface OwnCopy<T> {
  readonly value: T;
  /** The copy shares no object with the caller, and its enumerable fields are its whole content. */
  readonly isWhole: boolean;
}

/**
 * A deep copy of plain objects, lists, dates and bytes. Any other object, such as a map, a function or an instance of a
 * class, is shared with the caller.
 *
 * Never throws: a value that cannot be read is not copied.
 */
export function ownCopyOf<T>(value: T): OwnCopy<T> {
  const copier = new Copier();
  try {
    return { value: copier.of(value) as T, isWhole: copier.isWhole };
  } catch {
    // An accessor has thrown, or there are too many objects, or they are nested too deeply.
    return { value, isWhole: false };
  }
}

class Copier {
  isWhole = true;
  #objects = 0;

  /** An object referenced twice is copied twice: shared references do not count as content. */
  of(value: unknown): unknown {
    if (typeof value === 'function') return this.#keep(value);
    return typeof value === 'object' && value !== null ? this.#copy(value) : value;
  }

  #copy(value: object): object {
    this.#objects += 1;
    if (this.#objects > MAX_OBJECTS) throw new RangeError('Too many objects.');
    if (isProxy(value)) return this.#keep(value);
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (Array.isArray(value)) return this.#copyList(value);
    if (prototype === Date.prototype && Reflect.ownKeys(value).length === 0) {
      return new Date((value as Date).getTime());
    }
    if (prototype === Buffer.prototype) return Buffer.from(value as Buffer);
    if (prototype === Uint8Array.prototype) return new Uint8Array(value as Uint8Array);
    // Assigning `__proto__` would set the prototype.
    if (!isPlain(prototype) || hidesFields(value) || Object.hasOwn(value, '__proto__')) {
      return this.#keep(value);
    }
    const copy = (prototype === Object.prototype ? {} : Object.create(prototype)) as Fields;
    for (const name of Object.keys(value)) copy[name] = this.of((value as Fields)[name]);
    return copy;
  }

  #copyList(value: readonly unknown[]): object {
    const isOrdinary = Object.getPrototypeOf(value) === Array.prototype;
    // A hole removes a key. `length` comes after the elements and before other fields.
    const keys = Reflect.ownKeys(value);
    const isDense = keys.length === value.length + 1 && keys.at(-1) === 'length';
    if (!isOrdinary || !isDense) return this.#keep(value);
    return value.map((item) => this.of(item));
  }

  #keep(value: object): object {
    this.isWhole = false;
    return value;
  }
}

type Fields = Record<string, unknown>;

function isPlain(prototype: object | null): boolean {
  if (prototype === null || prototype === Object.prototype) return true;
  if (isProxy(prototype)) return false;
  // Parsers of query strings create such a prototype so that no field name has a special meaning.
  return Object.getPrototypeOf(prototype) === null && Reflect.ownKeys(prototype).length === 0;
}

/** Whether the object has symbol fields or fields that are not enumerable. */
function hidesFields(value: object): boolean {
  // `Reflect.ownKeys` takes twice as long.
  return (
    Object.getOwnPropertyNames(value).length !== Object.keys(value).length ||
    Object.getOwnPropertySymbols(value).length > 0
  );
}
