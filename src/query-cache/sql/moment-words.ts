/** Words that PostgreSQL reads as a moment relative to the clock when it takes a text as a date. */
const MOMENT_WORDS: ReadonlySet<string> = new Set(['now', 'today', 'tomorrow', 'yesterday']);
/** PostgreSQL refuses longer texts as dates. */
const LONGEST_DATE_TEXT = 128;

/** Whether the text, or a text in the list, would mean another date tomorrow. */
export function namesMoment(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(namesMoment);
  if (typeof value !== 'string' || value.length > LONGEST_DATE_TEXT) return false;
  const words = value.toLowerCase().split(/[^a-z]+/);
  return words.some((word) => MOMENT_WORDS.has(word));
}
