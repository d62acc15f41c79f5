/** Plain text for terminals. */

/** Control characters, with which a name could change what a terminal shows. */
const CONTROL = /\p{Cc}+/gu;

/** The text on one line, without control characters. */
export function plain(text: string): string {
  return text.replace(CONTROL, ' ');
}

/** Lines of a table with a header. Columns of numbers are aligned to the right. */
export function tableOf(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const cells = [header, ...rows].map((row) => row.map((cell) => plain(String(cell))));
  const widths = header.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const isRight = header.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  return cells.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return isRight[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

const DURATIONS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** A duration in its largest unit, such as `3 s` or `2.5 h`. */
export function durationOf(durationMs: number): string {
  const [unitMs, unit] = DURATIONS.find(([ms]) => durationMs >= ms) ?? [1, 'ms'];
  return `${Number((durationMs / unitMs).toFixed(1))} ${unit}`;
}
