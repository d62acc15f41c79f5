/** Words that PostgreSQL reads as a moment relative to the clock when it takes a text as a date. */
const MOMENT_WORDS: ReadonlySet<string> = new Set(['now', 'today', 'tomorrow', 'yesterday']);
/** PostgreSQL refuses texts with more letters and digits as dates, lists and ranges aside. */
const MOST_CHARACTERS = 160;
/** Lists and ranges, which may hold any number of dates. */
const OPENING_BRACKET = /^\s*[[{(]/;
/** Lists and ranges leave these out of a word. */
const QUOTING = /[\\"]/g;
/** PostgreSQL skips over most of these. */
const BETWEEN_WORDS = /[^a-z0-9]+/g;

/** Whether the text, or a text in the list, would mean another date tomorrow. */
export function namesMoment(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(namesMoment);
  if (ArrayBuffer.isView(value)) {
    // Sent as they are, and then taken for a text where one is wanted.
    return namesMoment(
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'),
    );
  }
  if (typeof value !== 'string') return false;
  const text = value.toLowerCase().replaceAll(QUOTING, '');
  if (!OPENING_BRACKET.test(text)) {
    if (text.replaceAll(BETWEEN_WORDS, '').length > MOST_CHARACTERS) return false;
  }
  return text.split(/[^a-z]+/).some((word) => MOMENT_WORDS.has(word));
}
