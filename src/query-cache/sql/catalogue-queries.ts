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
       CASE
         WHEN COALESCE(NULLIF(t.typbasetype, 0), t.oid)
           IN ('pg_catalog.timestamp'::pg_catalog.regtype, 'pg_catalog.timestamptz'::pg_catalog.regtype)
           THEN 'timestamp'
         WHEN COALESCE(NULLIF(t.typbasetype, 0), t.oid) = 'pg_catalog.timetz'::pg_catalog.regtype
           THEN 'zoned-time'
         -- Dates and times, lengths of time, numbers and booleans of PostgreSQL's own.
         WHEN COALESCE(NULLIF(t.typbasetype, 0), t.oid) < 16384
           AND t.typcategory IN ('D', 'T', 'N', 'B') THEN 'plain'
         ELSE 'text'
       END AS nature,
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

/** A default is evaluated where the function is called, and counts for nothing in its own mark. */
const HAS_MOVING_DEFAULT = `(p.pronargdefaults > 0
  AND (p.proargdefaults::text ~ '[{](?!(CONST|RELABELTYPE|FUNCEXPR) )'
    OR EXISTS (
      SELECT FROM pg_catalog.regexp_matches(p.proargdefaults::text, ':funcid ([0-9]+)', 'g') AS m(found)
        LEFT JOIN pg_catalog.pg_proc d ON d.oid = m.found[1]::pg_catalog.oid
       WHERE d.provolatile IS DISTINCT FROM 'i')))`;

/** 0: immutable, 1: stable, 2: volatile. */
const RANK = `CASE WHEN p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace AND ${HAS_MOVING_DEFAULT} THEN 2
                   WHEN p.provolatile = 'i' THEN 0 WHEN p.provolatile = 's' THEN 1 ELSE 2 END`;

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

/** Those of enums and the polymorphic ones stand for types of columns as well. */
const IS_PROVING = (column: string): string =>
  `${column} IN (SELECT t.oid FROM pg_catalog.pg_type t
                  WHERE t.typtype IN ('e', 'p') OR t.oid IN (${PROVING_TYPES}))`;

/** An `=` of a user over the types of columns that prove a region replaces PostgreSQL's. */
export const OPERATORS = `
${TOGETHER} FROM (
SELECT n.nspname AS schema, o.oprname AS name,
       max(CASE WHEN n.nspname = 'pg_catalog' THEN 0
                WHEN o.oprname = '=' AND ${IS_PROVING('o.oprleft')} AND ${IS_PROVING('o.oprright')} THEN 2
                ELSE ${RANK} END) AS rank
  FROM pg_catalog.pg_operator o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp')
 GROUP BY 1, 2
) AS named
 GROUP BY named.schema, rank
 ORDER BY named.schema, rank`;

/** Casts of users by functions that need not answer the same tomorrow. */
export const UNSURE_CASTS = `
SELECT pg_catalog.format_type(c.castsource, NULL) || ' AS '
         || pg_catalog.format_type(c.casttarget, NULL) AS cast
  FROM pg_catalog.pg_cast c
  JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
 WHERE c.oid >= 16384 AND c.castmethod = 'f' AND ${RANK} > 0
 ORDER BY 1`;

/** The enums of users whose names can mean no type of another kind. */
export const ENUMS = `
SELECT n.nspname::text AS schema,
       pg_catalog.array_to_json(pg_catalog.array_agg(t.typname ORDER BY t.typname))::text AS names
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype = 'e' AND ${OF_USERS}
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_type o
                    WHERE o.typname = t.typname AND o.typtype <> 'e')
 GROUP BY 1
 ORDER BY 1`;
