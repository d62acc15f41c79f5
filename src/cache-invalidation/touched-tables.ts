/** From a statement and its answer to what it touched, and from there to version names. */
import {
  touchedBy,
  versionNamesOf,
  type TableVersionNames,
  type TouchedTable,
} from '../query-cache/index.js';
import type { RunningStatement } from './connection-session.js';

/** What node-postgres answers for one statement. */
interface StatementResult {
  readonly rowCount: number | null;
  readonly rows: readonly Record<string, unknown>[];
}

/** The tables a successful statement touched; none when it changed no row. */
export function whatWasTouched(
  { analysis, parameters, probed, catalogue }: RunningStatement,
  rawResults: unknown,
): readonly (TouchedTable | 'anything')[] {
  if (analysis?.kind === 'transaction' || analysis?.kind === 'read') return [];
  if (!analysis || !catalogue || analysis.kind === 'unknown' || !isResult(rawResults))
    return ['anything'];
  const values = Array.isArray(parameters) ? (parameters as unknown[]) : [];
  const outcome = { rowCount: rawResults.rowCount ?? 0, rows: rawResults.rows, probed };
  const touched: (TouchedTable | 'anything')[] = [];
  for (const write of analysis.writes) {
    const facts = catalogue.tables.find(({ id }) => id === write.table);
    if (!facts) return ['anything'];
    const part = touchedBy(write, values, outcome, facts);
    if (part) touched.push(part);
  }
  return touched;
}

export function versionNames(
  touched: ReadonlyMap<string, TouchedTable>,
): readonly TableVersionNames[] {
  return [...touched.values()].map((part) => ({ table: part.table, names: versionNamesOf(part) }));
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
