/** From a statement and its answer to what it touched, and from there to version names. */
import {
  tablesTouchedBy,
  versionNamesOf,
  type TableVersionNames,
  type TouchedTable,
} from '../query-cache/index.js';
import type { StatementContext } from './statement-context.js';

/** What node-postgres answers for one statement. */
interface StatementResult {
  readonly rowCount: number | null;
  readonly rows: readonly Record<string, unknown>[];
}

/** The tables a successful statement touched; none when it changed no row. */
export function whatWasTouched(
  { analysis, sentParameters, noticed, meaning }: StatementContext,
  rawResults: unknown,
): readonly (TouchedTable | 'anything')[] {
  if (analysis?.kind === 'transaction' || analysis?.kind === 'read') return [];
  if (!analysis || !meaning || analysis.kind === 'unknown') return ['anything'];
  const results = resultsOf(rawResults);
  if (results?.length !== analysis.statements) return ['anything'];
  const touched: TouchedTable[] = [];
  for (const [index, write] of analysis.writes.entries()) {
    const result = write.countedBy === undefined ? undefined : results[write.countedBy];
    // Of several writes to one table a trigger may have told of one alone.
    const isOnly = analysis.writes.every(({ table }, at) => table !== write.table || at === index);
    const outcome = {
      rowCount: result?.rowCount ?? undefined,
      rows: result?.rows ?? [],
      noticed: isOnly ? noticed.of(write.table) : undefined,
    };
    const tables = tablesTouchedBy(write, sentParameters, outcome, meaning);
    if (!tables) return ['anything'];
    touched.push(...tables);
  }
  return touched;
}

export function versionNames(
  touched: ReadonlyMap<string, TouchedTable>,
): readonly TableVersionNames[] {
  return [...touched.values()].map((part) => ({ table: part.table, names: versionNamesOf(part) }));
}

/** One answer for each statement of the text. */
function resultsOf(value: unknown): readonly StatementResult[] | undefined {
  const results: unknown[] = Array.isArray(value) ? value : [value];
  return results.every(isResult) ? results : undefined;
}

function isResult(value: unknown): value is StatementResult {
  return (
    typeof value === 'object' &&
    value !== null &&
    'rowCount' in value &&
    'rows' in value &&
    Array.isArray(value.rows)
  );
}
