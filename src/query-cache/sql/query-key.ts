/**
 * The key of a query: of SHA-256, 144 bits, over everything its answer depends on, the rows aside.
 *
 * Every part is written with its type and length, so that no two different lists of parts have
 * the same text: the number 1, the text '1' and the list [1] have three keys.
 */
import { hash } from 'node:crypto';
import { hidesFields, kindOf, PLAIN } from './object-kinds.js';

/** A multiple of three, which base64 writes without a rest. */
const KEY_BYTES = 18;
/** Lists and objects within one another, and in all. */
const MOST_DEPTH = 100;
const MOST_OBJECTS = 100_000;

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
      parts += new ExactText(`$${index + 1}`, asSent).of(value);
    });
    for (const value of values) parts += new ExactText('of its headers', byFields).of(value);
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
  return new ExactText('of the query', byFields).of(value);
}

function text(value: string): string {
  return `s${value.length}:${value}`;
}

/** Writes an object with fields, of a kind of theirs. */
type ObjectWriter = (value: object, kind: string, texts: ExactText) => string;

class ExactText {
  #depth = 0;
  #objects = 0;

  constructor(
    private readonly parameter: string,
    private readonly writeObject: ObjectWriter,
  ) {}

  of(value: unknown): string {
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
        return value === null ? '0' : this.#ofObject(value);
      default:
        return this.refuse(`is a ${typeof value}`);
    }
  }

  refuse(problem: string): never {
    throw new UnkeyableParameterError(this.parameter, problem);
  }

  #ofObject(value: object): string {
    if (value instanceof Date) {
      const time = value.getTime();
      return Number.isNaN(time) ? this.refuse('is no valid date') : `d${time};`;
    }
    if (ArrayBuffer.isView(value)) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      return `x${text(bytes.toString('base64'))}`;
    }
    this.#objects += 1;
    this.#depth += 1;
    // Whoever has a circle in it gets no further either.
    if (this.#depth > MOST_DEPTH || this.#objects > MOST_OBJECTS) this.refuse('has too much in it');
    const written = Array.isArray(value) ? this.#ofList(value) : this.#ofFields(value);
    this.#depth -= 1;
    return written;
  }

  #ofList(values: readonly unknown[]): string {
    return `a${values.length}:${values.map((value) => this.of(value)).join('')}`;
  }

  #ofFields(value: object): string {
    const kind = kindOf(value);
    if (kind === undefined) return this.refuse('is an object that may hold more than its fields');
    return this.writeObject(value, kind, this);
  }
}

/** node-postgres sends an object as JSON, unless it says itself what is sent. */
function asSent(value: object, kind: string, texts: ExactText): string {
  if (kind !== PLAIN) texts.refuse('is an instance of a class');
  if (typeof Reflect.get(value, 'toPostgres') === 'function') {
    texts.refuse('has a toPostgres of its own');
  }
  return `j${text(JSON.stringify(value))}`;
}

function byFields(value: object, kind: string, texts: ExactText): string {
  if (hidesFields(value)) texts.refuse('has fields that are hidden or without a name');
  const names = Object.keys(value).sort();
  let written = `${kind === PLAIN ? '' : `c${text(kind)}`}o${names.length}:`;
  for (const name of names) written += text(name) + texts.of(Reflect.get(value, name));
  return written;
}
