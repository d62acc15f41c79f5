/**
 * Encodes answers for callers in this process and keeps their types: dates, bigint, Buffers, `undefined`, maps and sets
 * (HTML structured clone, as `node:v8` writes it) and instances of known classes. The structured clone silently drops
 * subclasses, hidden fields, accessors and more, so a value that holds any of these is refused.
 *
 * The structured clone keeps object identity within one value. So the envelope lists the instances beside the value, by
 * class, and decoding restores their prototypes from that list.
 */
import { isDate, isMap, isProxy, isSet, isSharedArrayBuffer } from 'node:util/types';
import { serialize } from 'node:v8';
import { AbandonedFillError } from '../../core/read-request.js';
import { deserializeInRealm } from './realm-values.js';

export type Constructor = new (...args: never[]) => object;

interface Envelope {
  readonly value: unknown;
  /** Objects that are not plain, by class name; `null`: objects without a prototype. */
  readonly instances: Map<string | null, object[]>;
}

/** Decoding would not restore the value exactly. */
export class UnencodableValueError extends AbandonedFillError {
  constructor(what: string) {
    super(`An answer holds ${what}, which a stored entry cannot give back.`);
    this.name = 'UnencodableValueError';
  }
}

export class ValueCodec {
  readonly #classes: ReadonlyMap<string, Constructor>;
  readonly #names: ReadonlyMap<unknown, string | null>;

  /** @param classes by a name that is the same in every instance of the service. */
  constructor(classes: ReadonlyMap<string, Constructor>) {
    this.#classes = classes;
    this.#names = new Map<unknown, string | null>([
      [null, null],
      ...[...classes].map(([name, made]) => [made.prototype, name] as const),
    ]);
  }

  /** @throws UnencodableValueError where decoding would change a type or lose or add parts. */
  encode(value: unknown): Buffer {
    const envelope = { value, instances: this.#instancesIn(value) } satisfies Envelope;
    try {
      return serialize(envelope);
    } catch {
      throw new UnencodableValueError('objects too deep in one another');
    }
  }

  decode(bytes: Buffer): unknown {
    // Buffers in the answer are views of the decoded bytes, and callers may change them: decode a copy.
    const { value, instances } = deserializeInRealm(Buffer.from(bytes)) as Envelope;
    for (const [name, objects] of instances) {
      const prototype = name === null ? null : this.#prototypeOf(name);
      for (const object of objects) Object.setPrototypeOf(object, prototype);
    }
    return value;
  }

  #prototypeOf(name: string): object {
    const made = this.#classes.get(name);
    if (!made) throw new UnencodableValueError(`an instance of the unknown class ${name}`);
    return made.prototype as object;
  }

  #instancesIn(value: unknown): Envelope['instances'] {
    const instances: Envelope['instances'] = new Map();
    const objects = new Set<object>();
    const add = (part: unknown): void => {
      if (typeof part === 'function' || typeof part === 'symbol') refuse(`a ${typeof part}`);
      if (typeof part === 'object' && part !== null) objects.add(part);
    };
    add(value);
    // The loop also visits objects that `add` appends.
    for (const object of objects) {
      if (isProxy(object)) refuse('a proxy');
      if (!Object.isExtensible(object)) refuse('an object that takes no more fields');
      for (const part of partsOfBuiltIn(object) ?? this.#fieldsOf(object, instances)) add(part);
    }
    return instances;
  }

  #fieldsOf(object: object, instances: Envelope['instances']): unknown[] {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype) {
      const name = this.#names.get(prototype);
      if (name === undefined) refuse('an instance of a class that is no entity');
      const known = instances.get(name);
      if (known) known.push(object);
      else instances.set(name, [object]);
    }
    return fieldsOf(object);
  }
}

/** The content of an array, date, map, set or Buffer; `undefined` for any other object. */
function partsOfBuiltIn(object: object): Iterable<unknown> | undefined {
  // A hole removes a key; an extra field adds one.
  if (Array.isArray(object)) return bare(object, Array.prototype, object, object.length + 1);
  if (isDate(object)) return bare(object, Date.prototype, []);
  if (isMap(object)) return bare(object, Map.prototype, [...object].flat());
  if (isSet(object)) return bare(object, Set.prototype, object);
  if (!ArrayBuffer.isView(object)) return undefined;
  // Decoded, other views would share the memory of the whole answer.
  const isBuffer = Object.getPrototypeOf(object) === Buffer.prototype;
  if (!isBuffer || isSharedArrayBuffer(object.buffer)) refuse('bytes that are no Buffer');
  return [];
}

function bare(
  object: object,
  prototype: object,
  parts: Iterable<unknown>,
  keys = 0,
): Iterable<unknown> {
  const isBare = Object.getPrototypeOf(object) === prototype;
  if (isBare && Reflect.ownKeys(object).length === keys) return parts;
  return refuse('an array, date, map or set with more or less to it');
}

/** The values of an object's fields. Each field must be enumerable, writable and configurable. */
function fieldsOf(object: object): unknown[] {
  return Reflect.ownKeys(object).map((name) => {
    const field = Object.getOwnPropertyDescriptor(object, name);
    const isField = field && field.enumerable && field.writable && field.configurable;
    if (typeof name === 'symbol' || !isField) {
      refuse('an object with fields that are hidden, computed or without a name');
    }
    return field.value as unknown;
  });
}

function refuse(what: string): never {
  throw new UnencodableValueError(what);
}
