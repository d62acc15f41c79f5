/** The table as Markdown. */
import type { Verdict } from './scenarios/verdict.js';

export interface Row {
  readonly title: string;
  readonly note: string;
  readonly verdicts: readonly Verdict[];
}

export function markdownTable(columns: readonly string[], rows: readonly Row[]): string {
  const head = ['', 'scenario', ...columns];
  const body = rows.map(({ title, verdicts }, index) => [
    String(index + 1),
    title,
    ...verdicts.map(cellText),
  ]);
  const lines = [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

export function markdownNotes(rows: readonly Row[]): string {
  return rows.map(({ note }, index) => `${index + 1}. ${note}`).join('\n');
}

export function cellText({ state, how }: Verdict): string {
  switch (state) {
    case 'stale':
      return `**stale** ${how}`;
    case 'by hand':
      return `**stale** ${how}`;
    case 'fresh':
      return `fresh: ${how}`;
    case 'none':
      return `– ${how}`;
    case 'failed':
      return `failed: ${how}`;
  }
}
