/**
 * Questions to PostgreSQL's own catalogue. Relations, functions, types and operators are written
 * with their schema, so that no search path leads elsewhere.
 */

/** Temporary and TOAST relations have schemas of their own, which begin with `pg_` as well. */
export const OF_USERS = `n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')`;

/** The schemas unqualified names are looked up in; the temporary one is each session's own. */
export const SEARCH_PATH = `
SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true))::text AS schemas,
       pg_catalog.current_setting('server_version_num') AS version`;

/**
 * The columns of users' tables. A generated column changes without being assigned, and a
 * collation that is not deterministic takes different texts for equal: such columns prove nothing.
 */
export const COLUMNS = `
SELECT c.oid::text AS relation, a.attname::text AS name,
       CASE
         WHEN a.attgenerated <> '' THEN 'other'
         WHEN t.typtype = 'e' THEN 'text'
         WHEN t.oid IN ('pg_catalog.text'::pg_catalog.regtype, 'pg_catalog.varchar'::pg_catalog.regtype)
           AND COALESCE(l.collisdeterministic, true) THEN 'text'
         WHEN t.oid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype,
                        'pg_catalog.int8'::pg_catalog.regtype) THEN 'integer'
         WHEN t.oid = 'pg_catalog.uuid'::pg_catalog.regtype THEN 'uuid'
         WHEN t.oid = 'pg_catalog.bool'::pg_catalog.regtype THEN 'boolean'
         ELSE 'other'
       END AS kind,
       pg_catalog.format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attgenerated <> '' THEN ' (generated)'
                 WHEN NOT COALESCE(l.collisdeterministic, true)
                   THEN ' (collation that is not deterministic)'
                 ELSE '' END AS type
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND ${OF_USERS}
 ORDER BY a.attrelid, a.attnum`;

export const PRIMARY_KEYS = `
SELECT i.indrelid::text AS relation, a.attname::text AS name
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
 WHERE i.indisprimary AND k.position <= i.indnkeyatts AND ${OF_USERS}
 ORDER BY i.indrelid, k.position`;

/** 0: immutable, 1: stable, 2: volatile. */
const RANK = `CASE p.provolatile WHEN 'i' THEN 0 WHEN 's' THEN 1 ELSE 2 END`;

/** One row for each schema and rank: PostgreSQL has thousands of functions. */
const TOGETHER = `
SELECT schema::text AS schema, rank,
       pg_catalog.array_to_json(pg_catalog.array_agg(name ORDER BY name))::text AS names`;

/** An aggregate of a user is what the functions behind it are. */
export const FUNCTIONS = `
${TOGETHER} FROM (
SELECT n.nspname AS schema, p.proname AS name,
       max(CASE WHEN g.aggfnoid IS NULL OR n.nspname = 'pg_catalog' THEN f.rank
                ELSE GREATEST(f.rank, (
                  SELECT max(${RANK}) FROM pg_catalog.pg_proc p WHERE p.oid IN (
                    g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
                    g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn))) END) AS rank
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 CROSS JOIN LATERAL (SELECT ${RANK} AS rank) f
  LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = p.oid
 WHERE p.prokind <> 'p' AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp')
 GROUP BY 1, 2
) AS named
 GROUP BY named.schema, rank
 ORDER BY named.schema, rank`;

const PROVING_TYPES = ['text', 'varchar', 'int2', 'int4', 'int8', 'uuid', 'bool']
  .map((type) => `'pg_catalog.${type}'::pg_catalog.regtype`)
  .join(', ');

/** An `=` of a user over PostgreSQL's own types replaces PostgreSQL's. */
export const OPERATORS = `
${TOGETHER} FROM (
SELECT n.nspname AS schema, o.oprname AS name,
       max(CASE WHEN n.nspname = 'pg_catalog' THEN 0
                WHEN o.oprname = '=' AND o.oprleft IN (${PROVING_TYPES}) AND o.oprright IN (${PROVING_TYPES}) THEN 2
                ELSE ${RANK} END) AS rank
  FROM pg_catalog.pg_operator o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp')
 GROUP BY 1, 2
) AS named
 GROUP BY named.schema, rank
 ORDER BY named.schema, rank`;
