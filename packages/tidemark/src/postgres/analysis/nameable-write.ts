/** Writing statements as events name them, without another parse of a long text. */
import type { WriteStatement } from '../../core/ports/cache-events.js';
import type { StatementAnalysis } from '../../core/statement-analysis.js';
import type { NameableStatement } from '../../core/write-set.js';
import type { SqlAnalyser } from './sql-analyser.js';
import { MAX_TITLE } from './statement-title.js';
import { fingerprintOf, hashedFingerprint } from './syntax-tree.js';

/** In characters: a parse of more takes long, and the transaction waits for it. */
const MAX_PARSED = 10_000;

/** @param analyser `undefined`: the parser may not read the text as the server does. */
export function nameableWrite(
  sql: string,
  analysis: StatementAnalysis | undefined,
  analyser: SqlAnalyser | undefined,
): NameableStatement {
  return {
    sql,
    name: () => {
      if (sql.length > MAX_PARSED) return longWrite(analysis);
      return analyser?.write(sql) ?? { title: 'unknown', fingerprint: fingerprintOf(sql) };
    },
  };
}

function longWrite(analysis: StatementAnalysis | undefined): WriteStatement {
  const targets = analysis?.kind === 'write' ? analysis.targets : [];
  const titles = targets.map(
    ({ table, actions }) => `${actions.join(' OR ').toUpperCase()} ${table}`,
  );
  const title = [...new Set(titles)].join(', ').slice(0, MAX_TITLE) || 'long text';
  return { title, fingerprint: hashedFingerprint(title) };
}
