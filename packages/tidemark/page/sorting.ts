/** The order and filter of tables. */

export interface Order {
  readonly column: string;
  readonly isDescending: boolean;
}

/** What a column is sorted by; `undefined` comes last in both directions. */
export type SortValue = string | number | undefined;

/** `calls` ascending, `-calls` descending. */
export function parseOrder(text: string | undefined, fallback: Order): Order {
  if (!text) return fallback;
  return text.startsWith('-')
    ? { column: text.slice(1), isDescending: true }
    : { column: text, isDescending: false };
}

export function orderText({ column, isDescending }: Order): string {
  return isDescending ? `-${column}` : column;
}

/** A sorted copy. Equal rows keep their order. */
export function sorted<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => SortValue,
  isDescending: boolean,
): readonly Row[] {
  const direction = isDescending ? -1 : 1;
  return [...rows].sort((left, right) => {
    const [a, b] = [valueOf(left), valueOf(right)];
    if (a === undefined || b === undefined) {
      return Number(a === undefined) - Number(b === undefined);
    }
    return direction * compare(a, b);
  });
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

/** Whether the text has every word of the filter, in any case and order. */
export function matches(text: string, filter: string): boolean {
  const lower = text.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}
