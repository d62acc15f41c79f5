/** What a statement does, by what its names mean over its connection. */
import type { DatabaseSchema } from '../query-cache/index.js';
import type { ConnectionSession, RunningStatement } from './connection-session.js';

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
  if (statement.analysis.kind === 'transaction') return;
  const names = await session.namesUnder(usual.catalogue, (path) => schema.isUsualPath(path));
  const { analyser, catalogue } = names ? schema.meaningUnder(names) : usual;
  const analysis = analyser.statement(sql);
  statement.meaning = catalogue;
  statement.analysis = analysis;
  if (analysis.kind === 'read' && analysis.restsOnSchema && (await schema.isSurelyPast())) {
    statement.analysis = { kind: 'unknown', transactional: true, changesSchema: true };
  }
}

/** Whether names may mean something else over its connection once it has been carried out. */
export function mayChangeNames({ analysis }: RunningStatement): boolean {
  if (!analysis || analysis.kind === 'transaction') return false;
  return analysis.kind === 'unknown' || analysis.changesNames;
}
