/**
 * One text for all definitions that answers depend on: relations, columns, triggers, functions, types.
 *
 * PostgreSQL writes a new row of its catalogs for whatever a statement defines, changes, truncates or
 * rewrites (ALTER COLUMN ... USING), and each row names the transaction that wrote it. So equal texts
 * mean that no such statement has been committed in between. VACUUM and ANALYZE change rows in place
 * and do not count; neither do temporary objects. VACUUM FULL and CLUSTER count.
 */
import { FIRST_OID_OF_USERS } from '../query-cache/index.js';
import type { RunSql } from './run-sql.js';

/** Catalogs whose rows belong to a relation, with the column that names it. */
const OF_RELATIONS = {
  pg_class: 'oid',
  pg_attribute: 'attrelid',
  pg_attrdef: 'adrelid',
  pg_constraint: 'conrelid',
  pg_inherits: 'inhrelid',
  pg_rewrite: 'ev_class',
  pg_trigger: 'tgrelid',
  pg_policy: 'polrelid',
};

/** Catalogs of other objects, with the column of their schema. */
const OF_SCHEMAS = {
  pg_proc: 'pronamespace',
  pg_type: 'typnamespace',
  pg_operator: 'oprnamespace',
  pg_collation: 'collnamespace',
};

const OF_NONE = ['pg_enum', 'pg_cast', 'pg_extension'];

const LASTING_RELATIONS = `SELECT c.oid FROM pg_catalog.pg_class c
  WHERE c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;
const TEMPORARY_SCHEMAS = `SELECT n.oid FROM pg_catalog.pg_namespace n
  WHERE pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_t')`;

const PARTS = [
  ...Object.entries(OF_RELATIONS).map(([catalog, column]) =>
    partOf(catalog, column, `t.${column} IN (${LASTING_RELATIONS})`),
  ),
  ...Object.entries(OF_SCHEMAS).map(([catalog, column]) =>
    partOf(catalog, 'oid', `t.${column} NOT IN (${TEMPORARY_SCHEMAS})`),
  ),
  ...OF_NONE.map((catalog) => partOf(catalog, 'oid', 'true')),
];

const FINGERPRINT = `SELECT pg_catalog.md5(pg_catalog.string_agg(p.catalog || p.digest, ' ' ORDER BY p.catalog)) AS fingerprint
FROM (${PARTS.join('\nUNION ALL ')}) p`;

function partOf(catalog: string, id: string, condition: string): string {
  const row = `t.${id}::pg_catalog.text || ' ' || t.xmin::pg_catalog.text`;
  return `SELECT '${catalog}' AS catalog,
  COALESCE(pg_catalog.sum(pg_catalog.hashtextextended(${row}, 0)), 0)::pg_catalog.text AS digest
  FROM pg_catalog.${catalog} t WHERE t.${id} >= ${FIRST_OID_OF_USERS} AND ${condition}`;
}

export async function catalogFingerprint(run: RunSql): Promise<string> {
  const [row] = await run(FINGERPRINT);
  return String(row?.['fingerprint']);
}
