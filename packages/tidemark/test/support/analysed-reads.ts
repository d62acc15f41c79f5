/** A shop to analyse SELECT statements in, and the analysis of one as a line. */
import { buildCatalog } from './catalog-builder.js';
import type { Term } from '../../src/core/statement-analysis.js';
import { SqlAnalyser } from '../../src/postgres/analysis/sql-analyser.js';

export const readCatalog = buildCatalog({
  tables: {
    'public.users': {
      columns: {
        id: 'integer',
        username: 'text',
        region: 'text',
        email: 'text',
        score: 'other',
        active: 'boolean',
      },
      dimensions: ['id', 'region'],
    },
    'public.orders': {
      columns: { id: 'integer', user_id: 'integer', region: 'text', total: 'other' },
      dimensions: ['id', 'user_id', 'region'],
    },
    'public.members': {
      columns: { team: 'text', number: 'integer', region: 'text' },
      dimensions: ['team,number', 'region'],
    },
    'other.users': { columns: { id: 'integer', region: 'text' }, dimensions: ['id', 'region'] },
    'public.Odd.Name': {
      columns: { 'the.id': 'integer', Region: 'text' },
      dimensions: ['the.id', 'Region'],
    },
    'public.report': {
      kind: 'view',
      columns: { id: 'integer', region: 'text' },
      definition: "SELECT users.id, users.region FROM users WHERE users.region = 'US'::text;",
    },
    'public.nested': {
      kind: 'view',
      columns: { id: 'integer', total: 'other' },
      definition: 'SELECT r.id, o.total FROM report r JOIN orders o ON o.user_id = r.id;',
    },
    'public.moving': {
      kind: 'view',
      columns: { id: 'integer' },
      definition: 'SELECT users.id FROM users WHERE now() > users.score;',
    },
    'public.endless': {
      kind: 'view',
      columns: { id: 'integer' },
      definition: 'SELECT endless.id FROM endless;',
    },
    'public.twice': {
      kind: 'view',
      columns: { id: 'integer' },
      definition: 'SELECT u.id FROM users u, unnest(ARRAY[1, 2]) WHERE u.id = 1;',
    },
    'public.summary': {
      kind: 'materialized-view',
      columns: { id: 'integer', region: 'text' },
      dimensions: [],
      primaryKey: undefined,
      definition: 'SELECT users.id, users.region FROM users;',
    },
    'public.remote': { kind: 'foreign', columns: { id: 'integer' } },
    'public.half_remote': {
      kind: 'partitioned',
      columns: { id: 'integer' },
      relatives: ['public.remote'],
    },
    'public.scratch': { columns: { id: 'integer' }, isUnlogged: true },
    'public.scratched': {
      kind: 'view',
      columns: { id: 'integer' },
      definition: 'SELECT scratch.id FROM scratch;',
    },
    'public.part': {
      columns: { id: 'integer', region: 'text' },
      dimensions: ['id', 'region'],
      relatives: ['public.whole'],
    },
    'public.whole': {
      kind: 'partitioned',
      columns: { id: 'integer', region: 'text' },
      dimensions: ['id', 'region'],
      relatives: ['public.part'],
    },
    'public.secret': {
      columns: { id: 'integer', owner: 'text' },
      dimensions: ['id'],
      hasRowSecurity: true,
      policies: ['(owner = CURRENT_USER)', '(id IN ( SELECT members.number FROM members))'],
    },
    'public.tenants': {
      columns: { id: 'integer', tenant: 'text' },
      dimensions: ['id'],
      hasRowSecurity: true,
      policies: ["(tenant = current_setting('app.tenant'::text))"],
    },
    'public.owned': {
      columns: { id: 'integer' },
      dimensions: ['id'],
      isRowSecured: true,
      policies: ["(id = (current_setting('app.id'::text))::integer)"],
    },
    'public.of_owned': {
      kind: 'view',
      columns: { id: 'integer' },
      definition: 'SELECT owned.id FROM owned;',
    },
  },
  functions: {
    'public.pure': 'immutable',
    'public.reads': 'stable',
    'public.writes': 'volatile',
    'public.fullname': 'volatile',
    // Hides behind the name of one of PostgreSQL's own.
    'public.lower': 'stable',
  },
  operators: { 'public.<->': 'immutable', 'public.~~~': 'stable', 'ext.=': 'immutable' },
});

/** Its parser has to be loaded first. */
export const readAnalyser = new SqlAnalyser(readCatalog);

function text(term: Term): string {
  if (term.kind === 'constant') return JSON.stringify(term.value);
  return `$${term.index + 1}${term.kind === 'elements' ? '[]' : ''}`;
}

/** `users id=$1 | region="US"; orders` or the reason of a refusal. */
export function reading(sql: string): string {
  const analysis = readAnalyser.read(sql);
  if (!analysis.cacheable) return analysis.reason;
  return analysis.tables
    .map(({ table, restrictions }) => {
      const proofs = restrictions.map(
        ({ dimension, tuples }) =>
          `${dimension.name}=${tuples.map((tuple) => tuple.map(text).join('/')).join(',')}`,
      );
      return `${table.replace('public.', '')} ${proofs.join(' | ')}`.trim();
    })
    .join('; ');
}
