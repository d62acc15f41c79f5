/**
 * The key of a query: of SHA-256, 144 bits, over everything its answer depends on, the rows aside.
 *
 * Every part is written with its type and length, so that no two different lists of parts have
 * the same text: the number 1, the text '1' and the list [1] have three keys.
 */
import { hash } from 'node:crypto';

/** A multiple of three, which base64 writes without a rest. */
const KEY_BYTES = 18;

/** A parameter whose value has no exact text, so that it cannot be part of a key. */
export class UnkeyableParameterError extends Error {
  constructor(parameter: string, problem: string) {
    super(`Parameter ${parameter} ${problem}, so the query has no key.`);
    this.name = 'UnkeyableParameterError';
  }
}

export interface KeyParts {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** What else the answer is made of: values that are not sent to the database. */
  readonly values?: readonly unknown[] | undefined;
  /** How rows become the answer: shape, statements, mapping, representation. */
  readonly answer: string;
}

export class QueryKeys {
  readonly #context: string;

  /** @param context what all answers depend on: namespace, database, role, settings, schema. */
  constructor(context: readonly string[]) {
    this.#context = context.map(text).join('');
  }

  /** @throws UnkeyableParameterError */
  keyOf({ sql, parameters, values = [], answer }: KeyParts): string {
    let parts = `${this.#context}${text(answer)}${text(sql)}${parameters.length}:`;
    parameters.forEach((value, index) => {
      parts += typed(value, `$${index + 1}`, asSent);
    });
    for (const value of values) parts += typed(value, 'of its headers', byFields);
    // No part of a longer text, which would stay in memory with it.
    return hash('sha256', parts, 'buffer').toString('base64url', 0, KEY_BYTES);
  }
}

/**
 * One text for each value, also of objects with fields.
 *
 * @throws UnkeyableParameterError
 */
export function exactText(value: unknown): string {
  return typed(value, 'of the query', byFields);
}

function text(value: string): string {
  return `s${value.length}:${value}`;
}

/** Writes an object of no class. */
type ObjectWriter = (value: object, parameter: string) => string;

function typed(value: unknown, parameter: string, plain: ObjectWriter): string {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      return `n${String(value)};`;
    case 'bigint':
      return `b${String(value)};`;
    case 'boolean':
      return value ? 't' : 'f';
    case 'undefined':
      return 'u';
    case 'object':
      return value === null ? '0' : ofObject(value, parameter, plain);
    default:
      throw new UnkeyableParameterError(parameter, `is a ${typeof value}`);
  }
}

function ofObject(value: object, parameter: string, plain: ObjectWriter): string {
  if (Array.isArray(value)) {
    return `a${value.length}:${value.map((item) => typed(item, parameter, plain)).join('')}`;
  }
  if (value instanceof Date) {
    const time = value.getTime();
    if (Number.isNaN(time)) throw new UnkeyableParameterError(parameter, 'is no valid date');
    return `d${time};`;
  }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `x${text(bytes.toString('base64'))}`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new UnkeyableParameterError(parameter, 'is an instance of a class');
  }
  return plain(value, parameter);
}

/** node-postgres sends an object as JSON, unless it says itself what is sent. */
function asSent(value: object, parameter: string): string {
  if (typeof Reflect.get(value, 'toPostgres') === 'function') {
    throw new UnkeyableParameterError(parameter, 'has a toPostgres of its own');
  }
  return `j${text(JSON.stringify(value))}`;
}

function byFields(value: object, parameter: string): string {
  const names = Object.keys(value).sort();
  let written = `o${names.length}:`;
  for (const name of names) {
    const field: unknown = Reflect.get(value, name);
    written += text(name) + typed(field, parameter, byFields);
  }
  return written;
}
