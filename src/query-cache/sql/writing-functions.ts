/** Questions to PostgreSQL's catalogue about what users have made that may write when it is used. */

/** Objects with smaller ids came with PostgreSQL (`FirstNormalObjectId`). */
export const FIRST_OID_OF_USERS = 16_384;

/** Volatile only in that they answer something else every time. */
const EXTENSIONS_THAT_DO_NOT_WRITE = `'uuid-ossp', 'pgcrypto'`;

/** The types that a type of users consists of, one step deep: its base, elements, fields, subtype. */
export const TYPES_WITHIN = (type: string): string => `
  JOIN pg_catalog.pg_type outer_type ON outer_type.oid = ${type}
  CROSS JOIN LATERAL (
    SELECT outer_type.typbasetype AS oid
    UNION SELECT outer_type.typelem
    UNION SELECT a.atttypid FROM pg_catalog.pg_attribute a
           WHERE outer_type.typrelid <> 0 AND a.attrelid = outer_type.typrelid AND a.attnum > 0
    UNION SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = outer_type.oid
  ) inner_type
  WHERE inner_type.oid >= ${FIRST_OID_OF_USERS}`;

/**
 * `writing_function(oid, is_volatile)`: the functions of users that may write. An aggregate is what
 * the functions behind it are. A STABLE function must not write, but nothing keeps it from calling
 * one that does; those of extensions are believed.
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
 * All types by schema, and whether a cast to them is harmless: calls nothing that may write, neither
 * by a domain's checks nor by a function that makes the cast.
 */
export const TYPES = `
WITH RECURSIVE within(type, part) AS (
  SELECT oid, oid FROM pg_catalog.pg_type
  UNION
  SELECT w.type, inner_type.oid FROM within w ${TYPES_WITHIN('w.part')}
), ${WRITING_FUNCTIONS}, definition(type, class, object) AS (
  SELECT w.type, 'pg_catalog.pg_constraint'::pg_catalog.regclass, c.oid
    FROM within w JOIN pg_catalog.pg_constraint c ON c.contypid = w.part
  UNION ALL
  SELECT w.type, 'pg_catalog.pg_cast'::pg_catalog.regclass, c.oid
    FROM within w JOIN pg_catalog.pg_cast c ON c.casttarget = w.part
   WHERE c.oid >= ${FIRST_OID_OF_USERS}
), harmful AS (
  SELECT definition.type FROM definition
    JOIN pg_catalog.pg_depend d ON d.classid = definition.class AND d.objid = definition.object
     AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    JOIN writing_function f ON f.oid = d.refobjid
)
SELECT n.nspname::text AS schema, t.oid NOT IN (SELECT type FROM harmful) AS is_harmless,
       pg_catalog.array_to_json(pg_catalog.array_agg(t.typname::text ORDER BY t.typname))::text AS names
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_t')
 GROUP BY 1, 2 ORDER BY 1, 2`;
