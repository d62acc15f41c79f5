/** One text for each value of a column, so that equal texts mean what `=` means in PostgreSQL. */
import type { ColumnKind } from './table-facts.js';

const PLAIN_INTEGER = /^[ \t\n\v\f\r]*([+-]?\d+)[ \t\n\v\f\r]*$/;
const UUID_GROUPS = /^(?:[0-9a-f]{4}-?){8}$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** PostgreSQL takes every prefix that is clear; `o` alone is not. */
const TRUE_WORDS: ReadonlySet<string> = new Set('t tr tru true y ye yes on 1'.split(' '));
const FALSE_WORDS: ReadonlySet<string> = new Set('f fa fal fals false n no of off 0'.split(' '));

/**
 * The text under which PostgreSQL's equality of that kind holds, for a parameter as node-postgres
 * would send it, a constant, or a value of a result row.
 *
 * `undefined` where no such text is known: for null, objects and dates; for what the column's type
 * does not take; for text with trailing blanks, which `varchar(n)` may drop silently.
 */
export function canonicalValue(kind: ColumnKind, value: unknown): string | undefined {
  switch (kind) {
    case 'text':
      return canonicalText(value);
    case 'integer':
      return canonicalInteger(value);
    case 'uuid':
      return typeof value === 'string' ? canonicalUuid(value) : undefined;
    case 'boolean':
      return canonicalBoolean(value);
    case 'other':
      return undefined;
  }
}

/** The value of a dimension in a version name, from the canonical texts of its columns in order. */
export function dimensionValue(parts: readonly string[]): string {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : JSON.stringify(parts);
}

function canonicalText(value: unknown): string | undefined {
  const text = sentText(value);
  if (text === undefined || text.endsWith(' ') || text.includes('\0')) return undefined;
  return LONE_SURROGATE.test(text) ? undefined : text;
}

function canonicalInteger(value: unknown): string | undefined {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? BigInt(value).toString() : undefined;
  }
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'string') return undefined;
  const digits = PLAIN_INTEGER.exec(value)?.[1];
  if (digits === undefined) return undefined;
  return BigInt(digits.startsWith('+') ? digits.slice(1) : digits).toString();
}

function canonicalUuid(value: string): string | undefined {
  const isBraced = value.startsWith('{') && value.endsWith('}');
  const text = (isBraced ? value.slice(1, -1) : value).toLowerCase();
  if (!UUID_GROUPS.test(text) || text.endsWith('-')) return undefined;
  const digits = text.replaceAll('-', '');
  return [0, 8, 12, 16, 20]
    .map((start, index, starts) => digits.slice(start, starts[index + 1]))
    .join('-');
}

function canonicalBoolean(value: unknown): string | undefined {
  const word = sentText(value)?.trim().toLowerCase();
  if (word === undefined) return undefined;
  if (TRUE_WORDS.has(word)) return 'true';
  return FALSE_WORDS.has(word) ? 'false' : undefined;
}

/** What node-postgres sends for a plain value. */
function sentText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return value.toString();
    default:
      return undefined;
  }
}
