/** The key of a query: 144 bits of SHA-256 over every input of its answer except the rows. */
import { hash } from 'node:crypto';
import {
  CanonicalEncoding,
  text,
  UnkeyableParameterError,
} from '../../postgres/analysis/canonical-encoding.js';
import { ownCopyOf } from './own-copy.js';

/** In bytes: a multiple of three, which base64 encodes without padding. */
const KEY_BYTES = 18;
/** Most characters of one parameter. */
const MAX_TEXT = 4 * 1_024 * 1_024;

export interface KeyParts {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** Inputs of the answer that are not sent to the database. */
  readonly values?: readonly unknown[] | undefined;
  /** How rows become the answer: shape, statements, mapping, representation. */
  readonly answer: string;
}

export class QueryKeys {
  readonly #context: string;

  /** @param context the inputs of all answers: namespace, database, release, role, settings, schema. */
  constructor(context: readonly string[]) {
    this.#context = context.map(text).join('');
  }

  /** @throws UnkeyableParameterError */
  keyOf({ sql, parameters, values = [], answer }: KeyParts): string {
    let parts = `${this.#context}${text(answer)}${text(sql)}${parameters.length}:`;
    parameters.forEach((value, index) => (parts += exactly(value, `$${index + 1}`)));
    for (const value of values) parts += exactly(value, 'of its headers or context');
    // A slice of a longer string would keep the whole string in memory.
    return hash('sha256', parts, 'buffer').toString('base64url', 0, KEY_BYTES);
  }
}

/** An incomplete copy may still be changed by its owner before it is sent. */
function exactly(value: unknown, parameter: string): string {
  const own = ownCopyOf(value);
  if (!own.isWhole) {
    throw new UnkeyableParameterError(
      parameter,
      'is or holds more than plain data, dates or bytes, such as an instance of a class: use an object of its fields',
    );
  }
  try {
    return new CanonicalEncoding(parameter, MAX_TEXT).of(own.value);
  } catch (error) {
    if (error instanceof UnkeyableParameterError) throw error;
    throw new UnkeyableParameterError(parameter, 'cannot be read');
  }
}
