/**
 * The key of a query: SHA-256 over everything its answer depends on, the rows aside.
 *
 * Every part is written with its type and length, so that no two different lists of parts have
 * the same text: the number 1, the text '1' and the list [1] have three keys.
 */
import { hash } from 'node:crypto';

/** A parameter whose value has no exact text, so that it cannot be part of a key. */
export class UnkeyableParameterError extends Error {
  constructor(index: number, problem: string) {
    super(`Parameter $${index + 1} ${problem}, so the query has no key.`);
    this.name = 'UnkeyableParameterError';
  }
}

export interface KeyParts {
  readonly sql: string;
  readonly parameters: readonly unknown[];
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
  keyOf({ sql, parameters, answer }: KeyParts): string {
    let parts = this.#context + text(answer) + text(sql);
    parameters.forEach((value, index) => {
      parts += typed(value, index);
    });
    return hash('sha256', parts, 'base64url');
  }
}

function text(value: string): string {
  return `s${value.length}:${value}`;
}

function typed(value: unknown, index: number): string {
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
      return value === null ? '0' : ofObject(value, index);
    default:
      throw new UnkeyableParameterError(index, `is a ${typeof value}`);
  }
}

function ofObject(value: object, index: number): string {
  if (Array.isArray(value)) {
    return `a${value.length}:${value.map((item) => typed(item, index)).join('')}`;
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new UnkeyableParameterError(index, 'is no valid date');
    return `d${value.getTime()};`;
  }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `x${text(bytes.toString('base64'))}`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new UnkeyableParameterError(index, 'is an instance of a class');
  }
  return `j${text(JSON.stringify(value))}`;
}
