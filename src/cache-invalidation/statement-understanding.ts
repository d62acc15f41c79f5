/** What a statement does, by what its names mean over its connection. */
import { ANY_WRITE, type DatabaseSchema } from '../query-cache/index.js';
import type { ConnectionSession } from './connection-session.js';
import type { RunningStatement } from './running-statement.js';

const SETS_TRANSACTION = /^\s*SET\s+TRANSACTION\b[^;\\]*$/i;

export async function understand(
  statement: RunningStatement,
  session: ConnectionSession,
  schema: DatabaseSchema,
): Promise<void> {
  const { sql } = statement;
  // One catalogue throughout, even if another is loaded meanwhile.
  const usual = schema.meaningUnder(undefined);
  statement.catalogue = usual.catalogue;
  statement.meaning = usual.catalogue;
  statement.analysis = usual.analyser.statement(sql);
  // A backslash can hide the end of a text, and with it another statement.
  if (statement.analysis.kind === 'transaction' && !sql.includes('\\')) return;
  // Allowed only before any query, and so before one of ours.
  if (SETS_TRANSACTION.test(sql)) return;
  const names = await session.namesUnder(usual.catalogue, (path) => schema.isUsualPath(path));
  if (names && !names.isStandard && sql.includes('\\')) {
    statement.analysis = { kind: 'unknown', transactional: false, changesSchema: true };
    return;
  }
  const { analyser, catalogue } = names ? schema.meaningUnder(names) : usual;
  const analysis = analyser.statement(sql);
  statement.meaning = catalogue;
  statement.analysis = analysis;
  if (analysis.kind === 'read' && analysis.restsOnSchema && !(await schema.isPresent())) {
    statement.analysis = ANY_WRITE;
  }
}

/** Whether names may mean something else over its connection once it has been carried out. */
export function mayChangeNames({ analysis }: RunningStatement): boolean {
  if (!analysis || analysis.kind === 'transaction') return false;
  return analysis.kind === 'unknown' || analysis.changesNames;
}
