/** Copies of what belongs to a caller, who may change it while it is still needed here. */
import { isProxy } from 'node:util/types';

/** Objects in a circle, or in very many places, would have no end. */
const MAX_OBJECTS = 100_000;

export interface OwnCopy<T> {
  readonly value: T;
  /** Nothing in the copy is the caller's any more, and its enumerable fields are all that there is in it. */
  readonly isWhole: boolean;
}

/**
 * A deep copy of plain objects, lists, dates and bytes. Anything else, such as a map, a function or an instance of
 * a class, stays the caller's object in the copy.
 *
 * Never throws: what cannot be read is not copied.
 */
export function ownCopyOf<T>(value: T): OwnCopy<T> {
  const copier = new Copier();
  try {
    return { value: copier.of(value) as T, isWhole: copier.isWhole };
  } catch {
    // An accessor has thrown, or the objects are too many or lie too deep in one another.
    return { value, isWhole: false };
  }
}

class Copier {
  isWhole = true;
  #objects = 0;

  /** An object that is in two places has two copies: they cannot be told from equal ones. */
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
    // Assigned, `__proto__` would become the prototype.
    if (!isPlain(prototype) || hidesFields(value) || Object.hasOwn(value, '__proto__')) {
      return this.#keep(value);
    }
    const copy = (prototype === Object.prototype ? {} : Object.create(prototype)) as Fields;
    for (const name of Object.keys(value)) copy[name] = this.of((value as Fields)[name]);
    return copy;
  }

  #copyList(value: readonly unknown[]): object {
    const isOrdinary = Object.getPrototypeOf(value) === Array.prototype;
    // Holes are fewer keys. `length` comes after the elements and before other fields.
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
  // Parsers of query strings make such a prototype, so that no name means anything in their objects.
  return Object.getPrototypeOf(prototype) === null && Reflect.ownKeys(prototype).length === 0;
}

/** Whether there are fields that are not among the enumerable ones with a name. */
function hidesFields(value: object): boolean {
  // `Reflect.ownKeys` takes twice as long.
  return (
    Object.getOwnPropertyNames(value).length !== Object.keys(value).length ||
    Object.getOwnPropertySymbols(value).length > 0
  );
}
