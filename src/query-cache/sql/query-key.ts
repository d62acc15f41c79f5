/**
 * The key of a query: of SHA-256, 144 bits, over everything its answer depends on, the rows aside.
 *
 * Every part is written exactly (exact-text.ts): the number 1, the text '1' and the list [1] have three keys.
 */
import { hash } from 'node:crypto';
import { ExactText, text, UnkeyableParameterError, type ObjectWriter } from './exact-text.js';
import { isPlain, ownCopyOf } from './own-copy.js';

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

/** What is no whole copy, a builder's maker may still change before it is sent. */
function exactly(value: unknown, parameter: string, write: ObjectWriter): string {
  const own = ownCopyOf(value);
  if (!own.isWhole) {
    throw new UnkeyableParameterError(
      parameter,
      'is or holds more than plain data, dates or bytes',
    );
  }
  try {
    return new ExactText(parameter, write, LONGEST_TEXT).of(own.value);
  } catch (error) {
    if (error instanceof UnkeyableParameterError) throw error;
    throw new UnkeyableParameterError(parameter, 'cannot be read');
  }
}

/** node-postgres sends an object as JSON. */
function asSent(value: object, texts: ExactText): string {
  requirePlain(value, texts);
  return `j${text(JSON.stringify(value))}`;
}

/** Classes differ from one process to the next: a key that all processes share names none. */
function byFields(value: object, texts: ExactText): string {
  requirePlain(value, texts);
  return texts.ofFields(value);
}

function requirePlain(value: object, texts: ExactText): void {
  if (isPlain(Object.getPrototypeOf(value) as object | null)) return;
  texts.refuse('is an instance of a class: use an object of its fields');
}
