/**
 * Queries of PostgreSQL's catalog. Relations, functions, types and operators are schema-qualified, so that no search
 * path changes their meaning.
 */

import { FIRST_OID_OF_USERS } from './writing-functions.js';

/** Temporary and TOAST relations are in separate schemas, whose names also begin with `pg_`. */
export const OF_USERS = `n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')`;

/** The schemas in which unqualified names are resolved; each session has its own temporary schema. */
export const SEARCH_PATH = `
SELECT pg_catalog.array_to_json(pg_catalog.current_schemas(true))::text AS schemas,
       pg_catalog.current_setting('server_version_num') AS version`;

const TYPES_NAMED = (...names: readonly string[]): string =>
  names.map((name) => `'pg_catalog.${name}'::pg_catalog.regtype`).join(', ');

/** The types whose values are or contain a time of day with a zone, including domains, arrays, rows and ranges. */
const ZONED_TIMES = `
RECURSIVE zoned_times(type) AS (
  SELECT 'pg_catalog.timetz'::pg_catalog.regtype::pg_catalog.oid
  UNION
  SELECT holder.type
    FROM zoned_times z
   CROSS JOIN LATERAL (
     SELECT t.oid AS type FROM pg_catalog.pg_type t WHERE z.type IN (t.typbasetype, t.typelem)
     UNION ALL
     SELECT c.reltype FROM pg_catalog.pg_attribute a
       JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE a.attrelid >= ${FIRST_OID_OF_USERS} AND a.atttypid = z.type
        AND a.attnum > 0 AND NOT a.attisdropped AND c.reltype <> 0
     UNION ALL
     SELECT pg_catalog.unnest(ARRAY[r.rngtypid, r.rngmultitypid]) FROM pg_catalog.pg_range r
      WHERE r.rngsubtype = z.type) holder)`;

/**
 * Whether two texts are equal in the database exactly if they are equal here. In some multibyte encodings, such as
 * EUC_JP, two Unicode characters map to one character of the server.
 */
const HAS_EXACT_TEXT = `(
  SELECT pg_catalog.pg_encoding_max_length(d.encoding) = 1
      OR pg_catalog.pg_encoding_to_char(d.encoding) = 'UTF8'
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())`;

/**
 * The columns of users' tables. A generated column changes without being assigned, and a nondeterministic collation
 * treats different texts as equal: such columns prove nothing.
 */
export const COLUMNS = `
WITH ${ZONED_TIMES}
SELECT c.oid::text AS relation, a.attname::text AS name,
       CASE
         WHEN a.attgenerated <> '' THEN 'other'
         WHEN t.typtype = 'e' AND e.exact_text THEN 'text'
         WHEN t.oid IN (${TYPES_NAMED('text', 'varchar')})
           AND COALESCE(l.collisdeterministic, true) AND e.exact_text THEN 'text'
         WHEN t.oid IN (${TYPES_NAMED('int2', 'int4', 'int8')}) THEN 'integer'
         WHEN t.oid = ${TYPES_NAMED('uuid')} THEN 'uuid'
         WHEN t.oid = ${TYPES_NAMED('bool')} THEN 'boolean'
         ELSE 'other'
       END AS kind,
       CASE
         WHEN COALESCE(NULLIF(t.typbasetype, 0), t.oid)
           IN (${TYPES_NAMED('timestamp', 'timestamptz')}) THEN 'timestamp'
         WHEN t.oid IN (SELECT z.type FROM zoned_times z) THEN 'zoned-time'
         -- Dates and times, lengths of time, numbers and booleans of PostgreSQL's own.
         WHEN COALESCE(NULLIF(t.typbasetype, 0), t.oid) < ${FIRST_OID_OF_USERS}
           AND t.typcategory IN ('D', 'T', 'N', 'B') THEN 'plain'
         ELSE 'text'
       END AS nature,
       pg_catalog.format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attgenerated <> '' THEN ' (generated)'
                 WHEN NOT COALESCE(l.collisdeterministic, true)
                   THEN ' (collation that is not deterministic)'
                 WHEN NOT e.exact_text AND l.oid IS NOT NULL
                   THEN ' (in a database whose encoding is neither UTF8 nor of single bytes)'
                 ELSE '' END AS type
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
 CROSS JOIN LATERAL (SELECT ${HAS_EXACT_TEXT} AS exact_text) e
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

/** A default is evaluated at the call, and the function's own volatility does not include it. */
const HAS_MOVING_DEFAULT = `(p.pronargdefaults > 0
  AND (p.proargdefaults::text ~ '[{](?!(CONST|RELABELTYPE|FUNCEXPR) )'
    OR EXISTS (
      SELECT FROM pg_catalog.regexp_matches(p.proargdefaults::text, ':funcid ([0-9]+)', 'g') AS m(found)
        LEFT JOIN pg_catalog.pg_proc d ON d.oid = m.found[1]::pg_catalog.oid
       WHERE d.provolatile IS DISTINCT FROM 'i')))`;

/** 0: immutable, 1: stable, 2: volatile. */
const RANK = `CASE WHEN p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace AND ${HAS_MOVING_DEFAULT} THEN 2
                   WHEN p.provolatile = 'i' THEN 0 WHEN p.provolatile = 's' THEN 1 ELSE 2 END`;

/** Such a user's function or operator gives a text or a time of day the current offset. */
const TAKES_ZONED_TIME = (types: string): string =>
  `EXISTS (SELECT FROM zoned_times z WHERE z.type IN (${types}))`;

/**
 * One row per schema and rank: PostgreSQL has thousands of functions. They are sorted by the object id of their schema,
 * which is cheaper to compare than its name.
 *
 * @param query gives the columns `namespace`, `name` and `rank`
 */
const BY_RANK = (query: string): string => `
WITH ${ZONED_TIMES}
SELECT n.nspname::text AS schema, named.rank, pg_catalog.array_to_json(named.names)::text AS names
  FROM (SELECT namespace, rank, pg_catalog.array_agg(name ORDER BY name) AS names
          FROM (${query}) AS f GROUP BY namespace, rank) AS named
  JOIN pg_catalog.pg_namespace n ON n.oid = named.namespace
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp')
 ORDER BY 1, 2`;

const IS_BUILT_IN = (namespace: string): string =>
  `${namespace} = 'pg_catalog'::pg_catalog.regnamespace`;

/**
 * A user's aggregate has the volatility of its functions. If all overloads of a built-in name take zoned times of day,
 * the name means one of those.
 */
export const FUNCTIONS = BY_RANK(`
SELECT namespace, name,
       GREATEST(max(rank), CASE WHEN ${IS_BUILT_IN('namespace')} THEN pg_catalog.bool_and(is_zoned)
                                ELSE pg_catalog.bool_or(is_zoned) END::int) AS rank
  FROM (
    SELECT p.pronamespace AS namespace, p.proname AS name,
           CASE WHEN g.aggfnoid IS NULL OR ${IS_BUILT_IN('p.pronamespace')} THEN ${RANK}
                ELSE GREATEST(${RANK}, (
                  SELECT max(${RANK}) FROM pg_catalog.pg_proc p WHERE p.oid IN (
                    g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
                    g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn))) END AS rank,
           (p.prorettype || COALESCE(p.proallargtypes, p.proargtypes::oid[]))
             && (SELECT pg_catalog.array_agg(z.type) FROM zoned_times z) AS is_zoned
      FROM pg_catalog.pg_proc p
      LEFT JOIN pg_catalog.pg_aggregate g ON g.aggfnoid = p.oid
     WHERE p.prokind <> 'p'
    -- Otherwise the planner sorts the functions with all their columns, and ranks them afterwards.
    OFFSET 0) AS each
 GROUP BY 1, 2`);

const PROVING_TYPES = TYPES_NAMED('text', 'varchar', 'int2', 'int4', 'int8', 'uuid', 'bool');

/** Enums prove regions too, and polymorphic types accept every type that does. */
const IS_PROVING = (column: string): string =>
  `${column} IN (SELECT t.oid FROM pg_catalog.pg_type t
                  WHERE t.typtype IN ('e', 'p') OR t.oid IN (${PROVING_TYPES}))`;

/** A user's `=` over the column types that prove a region replaces PostgreSQL's. */
export const OPERATORS = BY_RANK(`
SELECT o.oprnamespace AS namespace, o.oprname AS name,
       max(CASE WHEN ${IS_BUILT_IN('o.oprnamespace')} THEN 0
                WHEN o.oprname = '=' AND ${IS_PROVING('o.oprleft')} AND ${IS_PROVING('o.oprright')} THEN 2
                WHEN ${TAKES_ZONED_TIME('o.oprleft, o.oprright, o.oprresult')} THEN GREATEST(1, ${RANK})
                ELSE ${RANK} END) AS rank
  FROM pg_catalog.pg_operator o
  JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
 GROUP BY 1, 2`);

/** Users' casts, by function or by text, whose result may change over time. */
export const UNSURE_CASTS = `
SELECT pg_catalog.format_type(c.castsource, NULL) || ' AS '
         || pg_catalog.format_type(c.casttarget, NULL) AS cast
  FROM pg_catalog.pg_cast c
  JOIN pg_catalog.pg_type source ON source.oid = c.castsource
  JOIN pg_catalog.pg_type target ON target.oid = c.casttarget
  JOIN pg_catalog.pg_proc p
    ON p.oid = c.castfunc OR (c.castmethod = 'i' AND p.oid IN (source.typoutput, target.typinput))
 WHERE c.oid >= ${FIRST_OID_OF_USERS} AND ${RANK} > 0
 ORDER BY 1`;

/** Users' enums whose names cannot mean a type of another kind. */
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
