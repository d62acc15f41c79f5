/** A shop to analyse writing statements in. */
import { buildCatalogue } from './catalogue-builder.js';
import type { TableWrite } from '../../src/query-cache/core/statement-analysis.js';
import { SqlAnalyser } from '../../src/query-cache/sql/sql-analyser.js';

const users = {
  columns: { id: 'integer', username: 'text', region: 'text', email: 'text', score: 'other' },
  dimensions: ['id', 'region'],
} as const;

/** Its parser has to be loaded first. */
export const writeAnalyser = new SqlAnalyser(
  buildCatalogue({
    tables: {
      'public.users': users,
      'public.plain': { columns: { id: 'integer', note: 'text' }, dimensions: ['id'] },
      'other.users': users,
      'public.Odd "Name"': {
        columns: { 'the.id': 'integer', Region: 'text' },
        dimensions: ['the.id', 'Region'],
      },
      'public.triggered': { ...users, sideEffects: ['insert', 'update', 'delete'] },
      'public.parent': {
        ...users,
        cascades: [
          { table: 'public.users', columns: ['id'], onDelete: 'delete', onUpdateOf: ['id'] },
        ],
      },
      'public.part': { ...users, isInherited: true },
      'public.partitioned': { ...users, kind: 'partitioned' },
      'public.report': { ...users, kind: 'view', dimensions: [] },
      'public.auditing': { ...users, kind: 'view', dimensions: [], sideEffects: ['read'] },
    },
    functions: {
      'public.pure': 'immutable',
      'public.reads': 'stable',
      'public.writes': 'volatile',
    },
    operators: { 'public.~~~': 'volatile' },
  }),
);

/** What the one write of the statement is. */
export function writeOf(sql: string): TableWrite {
  const analysis = writeAnalyser.statement(sql);
  if (analysis.kind !== 'write' || !analysis.writes[0]) throw new Error(`${sql}: ${analysis.kind}`);
  return analysis.writes[0];
}
