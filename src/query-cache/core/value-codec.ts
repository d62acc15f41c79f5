/**
 * Encodes answers for callers in this process with their types: dates, bigint, Buffers, `undefined`,
 * maps and sets (HTML structured clone, as `node:v8` writes it) and instances of known classes.
 * The structured clone drops subclasses, hidden fields, accessors and more without an error, so a value
 * that holds any of these is refused.
 *
 * The structured clone keeps object identity within one value, so the instances are listed beside
 * the value, by class, and get their prototype back from the list.
 */
import { isDate, isMap, isProxy, isSet, isSharedArrayBuffer } from 'node:util/types';
import { serialize } from 'node:v8';
import { deserializeInRealm } from './realm-values.js';

type Constructor = new (...args: never[]) => object;

interface Envelope {
  readonly value: unknown;
  /** Objects that are no plain ones, by the names of their classes; under `null` those without a prototype. */
  readonly instances: Map<string | null, object[]>;
  /** Frozen objects; earlier releases did not list them. */
  readonly frozen?: object[];
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
  readonly #names: ReadonlyMap<unknown, string | null>;

  /** @param classes by a name that is the same in every instance of the service. */
  constructor(classes: ReadonlyMap<string, Constructor>) {
    this.#classes = classes;
    this.#names = new Map<unknown, string | null>([
      [null, null],
      ...[...classes].map(([name, made]) => [made.prototype, name] as const),
    ]);
  }

  /** @throws UnencodableValueError where the value would come back with another type or other parts. */
  encode(value: unknown): Buffer {
    const envelope = this.#envelopeOf(value);
    try {
      return serialize(envelope);
    } catch {
      throw new UnencodableValueError('objects too deep in one another');
    }
  }

  decode(bytes: Buffer): unknown {
    // Bytes in the answer are views of what is read: of a copy, since callers may change them.
    const { value, instances, frozen = [] } = deserializeInRealm(Buffer.from(bytes)) as Envelope;
    for (const [name, objects] of instances) {
      const prototype = name === null ? null : this.#prototypeOf(name);
      for (const object of objects) Object.setPrototypeOf(object, prototype);
    }
    for (const object of frozen) Object.freeze(object);
    return value;
  }

  #prototypeOf(name: string): object {
    const made = this.#classes.get(name);
    if (!made) throw new UnencodableValueError(`an instance of the unknown class ${name}`);
    return made.prototype as object;
  }

  #envelopeOf(value: unknown): Envelope {
    const instances = new Map<string | null, object[]>();
    const frozen: object[] = [];
    const objects = new Set<object>();
    const add = (part: unknown): void => {
      if (typeof part === 'function' || typeof part === 'symbol') refuse(`a ${typeof part}`);
      if (typeof part === 'object' && part !== null) objects.add(part);
    };
    add(value);
    // The set grows while it is walked.
    for (const object of objects) {
      if (isFrozen(object)) frozen.push(object);
      const parts = partsOfBuiltIn(object) ?? this.#fieldsOf(object, instances);
      for (const part of parts) add(part);
    }
    return { value, instances, frozen };
  }

  #fieldsOf(object: object, instances: Map<string | null, object[]>): unknown[] {
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

/** @throws UnencodableValueError for what is frozen in part, and for proxies. */
function isFrozen(object: object): boolean {
  if (isProxy(object)) refuse('a proxy');
  if (Object.isExtensible(object)) return false;
  return Object.isFrozen(object) || refuse('an object that takes no more fields');
}

/** What is in an array, date, map, set or bytes; `undefined` for any other object. */
function partsOfBuiltIn(object: object): Iterable<unknown> | undefined {
  if (Array.isArray(object)) {
    // A hole is a key less, and any other field is one more.
    requireBare(object, Array.prototype, object.length + 1);
    return object as readonly unknown[];
  }
  if (isDate(object)) {
    requireBare(object, Date.prototype, 0);
    return [];
  }
  if (isMap(object)) {
    requireBare(object, Map.prototype, 0);
    return [...object].flat();
  }
  if (isSet(object)) {
    requireBare(object, Set.prototype, 0);
    return object;
  }
  if (!ArrayBuffer.isView(object)) return undefined;
  // Other views come back over the memory of the whole answer.
  const isBuffer = Object.getPrototypeOf(object) === Buffer.prototype;
  if (!isBuffer || isSharedArrayBuffer(object.buffer)) refuse('bytes that are no Buffer');
  return [];
}

function requireBare(object: object, prototype: object, keys: number): void {
  const isBare = Object.getPrototypeOf(object) === prototype;
  if (!isBare || Reflect.ownKeys(object).length !== keys) {
    refuse('an array, date, map or set with more or less to it');
  }
}

/** The values of an object's fields, which are all as an assignment makes them, or all frozen. */
function fieldsOf(object: object): unknown[] {
  const canChange = Object.isExtensible(object);
  return Reflect.ownKeys(object).map((name) => {
    const field = Object.getOwnPropertyDescriptor(object, name);
    const isField = typeof name === 'string' && field?.enumerable === true && 'value' in field;
    if (!isField || field.writable !== canChange || field.configurable !== canChange) {
      refuse('an object with fields that are hidden, computed or without a name');
    }
    return field.value as unknown;
  });
}

function refuse(what: string): never {
  throw new UnencodableValueError(what);
}
