/**
 * The key of a query: of SHA-256, 144 bits, over everything its answer depends on, the rows aside.
 *
 * Every part is written exactly (exact-text.ts): the number 1, the text '1' and the list [1] have three keys.
 */
import { hash } from 'node:crypto';
import { ExactText, text, UnkeyableParameterError, type ObjectWriter } from './exact-text.js';
import { isPlain } from './field-objects.js';

/** A multiple of three, which base64 writes without a rest. */
const KEY_BYTES = 18;
/** Of one parameter, in characters. */
const LONGEST_TEXT = 4 * 1_024 * 1_024;

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

  /** @param context what all answers depend on: namespace, database, release, role, settings, schema. */
  constructor(context: readonly string[]) {
    this.#context = context.map(text).join('');
  }

  /** @throws UnkeyableParameterError */
  keyOf({ sql, parameters, values = [], answer }: KeyParts): string {
    let parts = `${this.#context}${text(answer)}${text(sql)}${parameters.length}:`;
    parameters.forEach((value, index) => {
      parts += exactly(value, `$${index + 1}`, asSent);
    });
    for (const value of values) parts += exactly(value, 'of its headers or context', byFields);
    // No part of a longer text, which would stay in memory with it.
    return hash('sha256', parts, 'buffer').toString('base64url', 0, KEY_BYTES);
  }
}

/** Where a getter or `toJSON` throws, or an object is a circle, the driver or the query will find it out. */
function exactly(value: unknown, parameter: string, write: ObjectWriter): string {
  try {
    return new ExactText(parameter, write, LONGEST_TEXT).of(value);
  } catch (error) {
    if (error instanceof UnkeyableParameterError) throw error;
    throw new UnkeyableParameterError(parameter, 'cannot be read');
  }
}

/** node-postgres sends an object as JSON, unless it says itself what is sent. */
function asSent(value: object, texts: ExactText): string {
  if (!isPlain(value)) texts.refuse('is an instance of a class');
  if (typeof Reflect.get(value, 'toPostgres') === 'function') {
    texts.refuse('has a toPostgres of its own');
  }
  const json: unknown = JSON.stringify(value);
  return typeof json === 'string' ? `j${text(json)}` : texts.refuse('has no JSON');
}

/** Classes differ from one process to the next: what is kept for all of them has none. */
function byFields(value: object, texts: ExactText): string {
  if (!isPlain(value)) texts.refuse('is an instance of a class: use an object of its fields');
  return texts.ofFields(value);
}
