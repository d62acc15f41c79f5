/** The state of all definitions in the database, as one text. */
import { FIRST_OID_OF_USERS } from './writing-functions.js';

/** For the answer to {@link CATALOG_STATE}: whole catalogs may have millions of rows and lie on the disk. */
export const CATALOG_STATE_LIMIT_MS = 60_000;

/** The catalogs of all definitions that answers depend on, with the column that identifies the object. */
const CATALOGS = {
  pg_attribute: 'attrelid',
  pg_inherits: 'inhrelid',
  ...Object.fromEntries(
    [
      ...['pg_class', 'pg_attrdef', 'pg_constraint', 'pg_rewrite', 'pg_trigger', 'pg_policy'],
      ...[
        'pg_proc',
        'pg_type',
        'pg_operator',
        'pg_collation',
        'pg_enum',
        'pg_cast',
        'pg_extension',
      ],
    ].map((catalog) => [catalog, 'oid']),
  ),
};

/**
 * One hash of all definitions. PostgreSQL writes a new catalog row for every object that a statement defines, changes,
 * truncates or rewrites (ALTER COLUMN ... USING), and each row names the transaction that wrote it. So equal hashes
 * mean that no such statement was committed in between. VACUUM and ANALYZE change rows in place and do not count.
 */
export const CATALOG_STATE = `
SELECT pg_catalog.md5(pg_catalog.string_agg(c.name || c.digest, ' ' ORDER BY c.name)) AS state
  FROM (${Object.entries(CATALOGS).map(digestOf).join(' UNION ALL ')}) c`;

function digestOf([catalog, id]: [string, string]): string {
  const row = `t.${id}::pg_catalog.text || ' ' || t.xmin::pg_catalog.text`;
  return `SELECT '${catalog}' AS name,
  COALESCE(pg_catalog.sum(pg_catalog.hashtextextended(${row}, 0)), 0)::pg_catalog.text AS digest
  FROM pg_catalog.${catalog} t WHERE t.${id} >= ${FIRST_OID_OF_USERS}`;
}

/** Of the rows that answer {@link CATALOG_STATE}. */
export function catalogStateIn(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return String(rows[0]?.['state']);
}
