/** A shop to analyse writing statements in. */
import { buildCatalogue } from './catalogue-builder.js';
import type { TableWrite } from '../../src/query-cache/core/statement-analysis.js';
import { SqlAnalyser } from '../../src/query-cache/sql/sql-analyser.js';

const users = {
  columns: { id: 'integer', username: 'text', region: 'text', email: 'text', score: 'other' },
  dimensions: ['id', 'region'],
} as const;

const view = (definition: string, ...sources: readonly string[]) =>
  ({ columns: users.columns, dimensions: [], kind: 'view', definition, sources }) as const;

/** Its parser has to be loaded first. */
export const writeCatalogue = buildCatalogue({
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
        {
          table: 'public.users',
          columns: ['id'],
          onDelete: 'delete',
          onUpdateOf: ['id'],
          isInherited: false,
        },
      ],
    },
    'public.grandparent': {
      ...users,
      cascades: [
        {
          table: 'public.parent',
          columns: ['id'],
          onDelete: 'delete',
          onUpdateOf: [],
          isInherited: false,
        },
        {
          table: 'public.triggered',
          columns: ['id'],
          onDelete: 'nothing',
          onUpdateOf: ['id'],
          isInherited: false,
        },
      ],
    },
    'public.choosy': {
      ...users,
      cascades: [
        {
          table: 'public.plain',
          columns: ['note'],
          onDelete: 'update',
          onUpdateOf: ['username'],
          isInherited: false,
        },
        {
          table: 'public.choosy',
          columns: ['id'],
          onDelete: 'nothing',
          onUpdateOf: ['region'],
          isInherited: false,
        },
      ],
    },
    'public.logs': { ...users, kind: 'partitioned', relatives: ['public.logs_1'] },
    'public.logs_1': {
      ...users,
      dimensions: ['id', 'username', 'region'],
      relatives: ['public.logs'],
    },
    'public.events': { ...users, kind: 'partitioned', relatives: ['public.events_1'] },
    'public.events_1': { ...users, relatives: ['public.events'], sideEffects: ['insert'] },
    'public.abroad': { ...users, kind: 'partitioned', relatives: ['public.abroad_1'] },
    'public.abroad_1': { ...users, kind: 'foreign', relatives: ['public.abroad'] },
    'public.emptied': { ...users, sideEffects: ['truncate'] },
    'public.report': { ...view('SELECT id, region FROM users;', 'public.users') },
    'public.over_report': { ...view('SELECT id FROM report;', 'public.report') },
    'public.ruled_report': {
      ...view('SELECT id FROM users', 'public.users'),
      sideEffects: ['update'],
    },
    'public.over_ruled': { ...view('SELECT id FROM ruled_report', 'public.ruled_report') },
    'public.over_triggered': { ...view('SELECT id FROM triggered', 'public.triggered') },
    'public.joined': {
      ...view('SELECT u.id FROM users u, plain p', 'public.plain', 'public.users'),
    },
    'public.auditing': {
      ...view('SELECT writes(id) AS id FROM users', 'public.users'),
      sideEffects: ['read'],
    },
    'public.totals': { ...view('SELECT 1', 'public.users'), kind: 'materialized-view' },
    'public.stirred': {
      ...view('SELECT 1', 'public.users'),
      kind: 'materialized-view',
      sideEffects: ['read'],
    },
  },
  functions: {
    'public.pure': 'immutable',
    'public.reads': 'stable',
    'public.writes': 'volatile',
  },
  operators: { 'public.~~~': 'volatile' },
  harmfulTypes: ['public.audited'],
});
export const writeAnalyser = new SqlAnalyser(writeCatalogue);

/** All writes of the statement. */
export function writesOf(sql: string): readonly TableWrite[] {
  const analysis = writeAnalyser.statement(sql);
  if (analysis.kind !== 'write') throw new Error(`${sql}: ${analysis.kind}`);
  return analysis.writes;
}

/** What the one write of the statement is. */
export function writeOf(sql: string): TableWrite {
  const [write, ...others] = writesOf(sql);
  if (!write || others.length > 0) throw new Error(`${sql}: ${others.length + 1} writes`);
  return write;
}
