/** Queries of PostgreSQL's catalog for users' objects that may write when they are used. */

/** Objects with smaller ids are part of PostgreSQL (`FirstNormalObjectId`). */
export const FIRST_OID_OF_USERS = 16_384;

/** Their functions are volatile only because each call returns another value. */
const EXTENSIONS_THAT_DO_NOT_WRITE = `'uuid-ossp', 'pgcrypto'`;

/**
 * `writing_function(oid, is_volatile)`: the users' functions that may write. An aggregate has the volatility of its
 * functions. A STABLE function must not write, but may call a function that does; STABLE functions of extensions are
 * trusted.
 */
export const WRITING_FUNCTIONS = `
writing_plain(oid, is_volatile) AS (
  SELECT p.oid, p.provolatile = 'v' FROM pg_catalog.pg_proc p
    LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
     AND d.objid = p.oid AND d.deptype = 'e'
    LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
   WHERE p.oid >= ${FIRST_OID_OF_USERS}
     AND CASE WHEN e.oid IS NULL THEN p.provolatile <> 'i'
              ELSE p.provolatile = 'v' AND e.extname NOT IN (${EXTENSIONS_THAT_DO_NOT_WRITE}) END
), writing_function(oid, is_volatile) AS (
  SELECT oid, is_volatile FROM writing_plain
  UNION ALL
  SELECT g.aggfnoid, f.is_volatile FROM pg_catalog.pg_aggregate g
    JOIN writing_plain f ON f.oid IN (
      g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
      g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn)
)`;

/** By schema: the names of the functions that may write. */
export const WRITING_FUNCTION_NAMES = `
WITH ${WRITING_FUNCTIONS}
SELECT named.schema, named.is_volatile,
       pg_catalog.array_to_json(pg_catalog.array_agg(named.name ORDER BY named.name))::text AS names
  FROM (SELECT n.nspname::text AS schema, p.proname::text AS name,
               pg_catalog.bool_or(f.is_volatile) AS is_volatile
          FROM writing_function f
          JOIN pg_catalog.pg_proc p ON p.oid = f.oid
          JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
         GROUP BY 1, 2) AS named
 GROUP BY 1, 2 ORDER BY 1, 2`;

/**
 * `writing_object(class, oid, is_volatile)`: those functions, and the operators based on them.
 * `writing_type(oid)`: the types to which a cast may call one. If a domain's check or default or a user's cast does so,
 * all users' types count: any may contain such a part at any depth.
 */
export const WRITING_TYPES = `
writing_object(class, oid, is_volatile) AS (
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, is_volatile FROM writing_function
  UNION ALL
  SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid, f.is_volatile
    FROM pg_catalog.pg_operator o JOIN writing_function f ON f.oid = o.oprcode
), writing_definition(class, oid) AS (
  SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend d JOIN writing_object w ON w.class = d.refclassid AND w.oid = d.refobjid
), writing_type(oid) AS (
  SELECT c.casttarget FROM pg_catalog.pg_cast c JOIN writing_definition w
    ON w.class = 'pg_catalog.pg_cast'::pg_catalog.regclass AND w.oid = c.oid
  UNION
  SELECT w.oid FROM writing_definition w WHERE w.class = 'pg_catalog.pg_type'::pg_catalog.regclass
  UNION
  SELECT t.oid FROM pg_catalog.pg_type t
   WHERE t.oid >= ${FIRST_OID_OF_USERS} AND t.typtype <> 'e' AND EXISTS (
     SELECT FROM writing_definition w
       LEFT JOIN pg_catalog.pg_constraint c
         ON w.class = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid = w.oid
       LEFT JOIN pg_catalog.pg_type d
         ON w.class = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.oid = w.oid
      WHERE w.class = 'pg_catalog.pg_cast'::pg_catalog.regclass OR c.contypid <> 0 OR d.typtype = 'd')
)`;

/** All types by schema, and whether a cast to them calls no function that may write. */
export const TYPES = `
WITH ${WRITING_FUNCTIONS}, ${WRITING_TYPES}
SELECT n.nspname::text AS schema, t.oid NOT IN (SELECT oid FROM writing_type) AS is_side_effect_free,
       pg_catalog.array_to_json(pg_catalog.array_agg(t.typname::text ORDER BY t.typname))::text AS names
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_t')
 GROUP BY 1, 2 ORDER BY 1, 2`;
