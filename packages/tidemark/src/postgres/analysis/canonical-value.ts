/** One text per column value, so that texts are equal exactly if PostgreSQL's `=` holds. */
import type { ColumnKind, TableFacts } from '../../core/table-facts.js';

const PLAIN_INTEGER = /^[ \t\n\v\f\r]*(?:\+(?=\d))?(-?\d+)[ \t\n\v\f\r]*$/;
const UUID = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
/** PostgreSQL accepts every unambiguous prefix; `o` alone is ambiguous. */
const TRUE_WORDS: ReadonlySet<string> = new Set('t tr tru true y ye yes on 1'.split(' '));
const FALSE_WORDS: ReadonlySet<string> = new Set('f fa fal fals false n no of off 0'.split(' '));

/**
 * The text under which PostgreSQL's equality of that kind holds, for a parameter as node-postgres would send it, a
 * constant, or a value of a result row.
 *
 * `undefined` if no such text is known: for null, objects and dates; for values that the column's type does not accept;
 * for text with trailing blanks, which `varchar(n)` may drop silently.
 */
export function canonicalValue(kind: ColumnKind, value: unknown): string | undefined {
  switch (kind) {
    case 'text':
      return canonicalText(value);
    case 'integer':
      return canonicalInteger(value);
    case 'uuid':
      return typeof value === 'string'
        ? UUID.exec(value.toLowerCase())?.slice(1).join('-')
        : undefined;
    case 'boolean':
      return canonicalBoolean(value);
    case 'other':
      return undefined;
  }
}

/** The canonical text of a column's value; `null` for NULL; `undefined` if unknown. */
export function columnText(
  facts: TableFacts,
  column: string,
  value: unknown,
): string | null | undefined {
  if (value === null) return null;
  return canonicalValue(facts.columns.get(column)?.kind ?? 'other', value);
}

/** The value of a dimension in a version name, from the canonical texts of its columns, in order. */
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
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined;
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const digits = PLAIN_INTEGER.exec(String(value))?.[1];
  return digits === undefined ? undefined : BigInt(digits).toString();
}

function canonicalBoolean(value: unknown): string | undefined {
  const word = sentText(value)?.trim().toLowerCase();
  if (word === undefined) return undefined;
  if (TRUE_WORDS.has(word)) return 'true';
  return FALSE_WORDS.has(word) ? 'false' : undefined;
}

/** The text that node-postgres sends for a plain value. */
function sentText(value: unknown): string | undefined {
  const isPlain = ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
  return isPlain ? String(value) : undefined;
}
