/** A shop to analyse writing statements in. */
import { buildCatalog } from './catalog-builder.js';
import { SqlAnalyser } from '../../src/postgres/analysis/sql-analyser.js';

const users = {
  columns: { id: 'integer', username: 'text', region: 'text', email: 'text', score: 'other' },
  dimensions: ['id', 'region'],
} as const;

const view = (definition: string, ...sources: readonly string[]) =>
  ({ columns: users.columns, dimensions: [], kind: 'view', definition, sources }) as const;

/** Its parser has to be loaded first. */
export const writeCatalog = buildCatalog({
  tables: {
    'public.users': users,
    'public.plain': { columns: { id: 'integer', note: 'text' }, dimensions: ['id'] },
    'other.users': users,
    'public.Odd "Name"': {
      columns: { 'the.id': 'integer', Region: 'text' },
      dimensions: ['the.id', 'Region'],
    },
    'public.triggered': { ...users, sideEffects: ['write'] },
    'public.parent': {
      ...users,
      referencedBy: ['public.users'],
    },
    'public.grandparent': {
      ...users,
      referencedBy: ['public.parent', 'public.triggered'],
    },
    'public.choosy': {
      ...users,
      referencedBy: ['public.plain', 'public.choosy'],
    },
    'public.logs': { ...users, kind: 'partitioned', relatives: ['public.logs_1'] },
    'public.logs_1': {
      ...users,
      dimensions: ['id', 'username', 'region'],
      relatives: ['public.logs'],
    },
    'public.events': { ...users, kind: 'partitioned', relatives: ['public.events_1'] },
    'public.events_1': { ...users, relatives: ['public.events'], sideEffects: ['write'] },
    'public.abroad': { ...users, kind: 'partitioned', relatives: ['public.abroad_1'] },
    'public.abroad_1': { ...users, kind: 'foreign', relatives: ['public.abroad'] },
    'public.emptied': { ...users, sideEffects: ['write'] },
    'public.report': { ...view('SELECT id, region FROM users;', 'public.users') },
    'public.over_report': { ...view('SELECT id FROM report;', 'public.report') },
    'public.ruled_report': {
      ...view('SELECT id FROM users', 'public.users'),
      sideEffects: ['write'],
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
  writingTypes: ['public.audited'],
});
export const writeAnalyser = new SqlAnalyser(writeCatalog);
