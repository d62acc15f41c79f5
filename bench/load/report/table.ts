/** Tables as Markdown, and numbers as they stand in them. */
import type { Spread } from './spread.js';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function markdown({ title, columns, rows }: Table): string {
  const all = [columns, columns.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  const lines = all.map((cells) => `| ${cells.join(' | ')} |`);
  return `### ${title}\n\n${lines.join('\n')}`;
}

/** Three digits, or the whole number where it has more. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** Median, with the least and the most of all rounds. */
export function spreadText({ median, least, most }: Spread): string {
  if (least === most) return shortNumber(median);
  return `${shortNumber(median)} (${shortNumber(least)}–${shortNumber(most)})`;
}
