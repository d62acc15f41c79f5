/** Copies of what belongs to a caller, who may change it while it is still needed here. */
import { isDate, isMap, isProxy, isSet } from 'node:util/types';
import { BYTES } from './exact-text.js';
import { hidesFields, isPlain, isRecord } from './field-objects.js';

export interface OwnCopy<T> {
  readonly value: T;
  /** Whether nothing in it is the caller's any more. */
  readonly isWhole: boolean;
}

/**
 * A deep copy of plain data, lists, dates, bytes, maps, sets and instances that are nothing but their fields.
 * Anything else, such as a function or an instance with methods, stays the caller's own object in the copy.
 *
 * Never throws: what cannot be read is not copied.
 */
export function ownCopyOf<T>(value: T): OwnCopy<T> {
  const copier = new Copier();
  try {
    return { value: copier.of(value) as T, isWhole: copier.isWhole };
  } catch {
    // An accessor has thrown, or the objects lie too deep in one another.
    return { value, isWhole: false };
  }
}

class Copier {
  isWhole = true;
  /** What has been copied, so that what is one object stays one, also where it holds itself. */
  readonly #copies = new Map<object, object>();

  of(value: unknown): unknown {
    return isReference(value) ? (this.#copies.get(value) ?? this.#copy(value)) : value;
  }

  #copy(value: object): unknown {
    if (typeof value === 'function') return this.#keep(value);
    // The most frequent first.
    if (isPlain(value)) return hidesFields(value) ? this.#keep(value) : this.#copyFields(value);
    if (Array.isArray(value)) return this.#copyList(value);
    if (isDate(value)) {
      return isBare(value, Date.prototype) ? new Date(value.getTime()) : this.#keep(value);
    }
    if (ArrayBuffer.isView(value)) return this.#copyBytes(value);
    if (isMap(value)) return this.#copyMap(value);
    if (isSet(value)) return this.#copySet(value);
    // Assigned to an instance, `__proto__` would become its prototype.
    const isFields = isRecord(value) && !hidesFields(value) && !Object.hasOwn(value, '__proto__');
    return isFields ? this.#copyFields(value) : this.#keep(value);
  }

  #copyFields(value: object): object {
    const prototype = Object.getPrototypeOf(value) as object | null;
    const copy: Record<string, unknown> =
      prototype === Object.prototype
        ? { ...value }
        : Object.assign(Object.create(prototype) as Record<string, unknown>, value);
    for (const name of Object.keys(copy)) {
      const field = copy[name];
      if (!isReference(field)) continue;
      this.#copies.set(value, copy);
      copy[name] = this.of(field);
    }
    return copy;
  }

  #copyList(value: readonly unknown[]): unknown {
    const isOrdinary = Object.getPrototypeOf(value) === Array.prototype && !isProxy(value);
    // Holes are fewer keys, and what else it has is more.
    if (!isOrdinary || Reflect.ownKeys(value).length !== value.length + 1) return this.#keep(value);
    const copy: unknown[] = [];
    this.#copies.set(value, copy);
    for (const item of value) copy.push(this.of(item));
    return copy;
  }

  #copyBytes(value: ArrayBufferView): unknown {
    const prototype = Object.getPrototypeOf(value) as object;
    const made = BYTES.find((kind) => kind.prototype === prototype);
    if (!made) return this.#keep(value);
    const bytes = Buffer.from(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    if (made === Buffer) return bytes;
    // Of a length that the elements of its kind fit into.
    const { buffer } = Uint8Array.from(bytes);
    return new (made as new (buffer: ArrayBufferLike) => ArrayBufferView)(buffer);
  }

  #copyMap(value: Map<unknown, unknown>): unknown {
    if (!isBare(value, Map.prototype)) return this.#keep(value);
    const copy = new Map<unknown, unknown>();
    this.#copies.set(value, copy);
    for (const [key, item] of value) copy.set(this.of(key), this.of(item));
    return copy;
  }

  #copySet(value: Set<unknown>): unknown {
    if (!isBare(value, Set.prototype)) return this.#keep(value);
    const copy = new Set<unknown>();
    this.#copies.set(value, copy);
    for (const item of value) copy.add(this.of(item));
    return copy;
  }

  #keep(value: object): object {
    this.isWhole = false;
    return value;
  }
}

/** Whether it is of the class itself and has no fields besides. */
function isBare(value: object, prototype: object): boolean {
  return Object.getPrototypeOf(value) === prototype && Reflect.ownKeys(value).length === 0;
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
