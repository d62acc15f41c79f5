/** Queries of PostgreSQL's catalog for relations and their connections, in the style of catalog-queries.ts. */
import { OF_USERS } from './catalog-queries.js';
import { WRITING_FUNCTIONS, WRITING_TYPES } from './writing-functions.js';

/** Whether the function is one that reports writes (postgres/capture/outbox-objects.ts). */
const IS_CAPTURE = (procedure: string, schema: string): string =>
  `pg_catalog.starts_with(${procedure}.proname, 'capture_') AND pg_catalog.starts_with(${schema}.nspname, 'tidemark_')`;

/**
 * Actions that may change more than the statement names: through users' triggers and rules, and through definitions that
 * call a user's function that may write: of views, defaults, checks, policies, and of column types.
 *
 * STABLE promises not to write. The promise is trusted except for views, where a check costs one query, and for types.
 */
const SIDE_EFFECTS = `
WITH RECURSIVE part(relation, action, class, object) AS (
  SELECT ev_class, 'read', 'pg_catalog.pg_rewrite'::pg_catalog.regclass, oid FROM pg_catalog.pg_rewrite
  UNION ALL
  SELECT adrelid, 'write', 'pg_catalog.pg_attrdef'::pg_catalog.regclass, oid FROM pg_catalog.pg_attrdef
  UNION ALL
  SELECT conrelid, 'write', 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid
    FROM pg_catalog.pg_constraint WHERE contype = 'c' AND conrelid <> 0
  UNION ALL
  SELECT polrelid, action, 'pg_catalog.pg_policy'::pg_catalog.regclass, oid
    FROM pg_catalog.pg_policy CROSS JOIN (VALUES ('read'), ('write')) AS a(action)
), uses AS (
  SELECT part.relation, part.action, part.class AS by_class, d.refclassid AS class, d.refobjid AS object
    FROM part JOIN pg_catalog.pg_depend d ON d.classid = part.class AND d.objid = part.object
), ${WRITING_FUNCTIONS}, ${WRITING_TYPES}, calling(relation, action) AS (
  SELECT uses.relation, uses.action
    FROM uses JOIN writing_object w ON w.class = uses.class AND w.oid = uses.object
   WHERE w.is_volatile OR uses.by_class = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  UNION
  SELECT a.attrelid, 'write'
    FROM pg_catalog.pg_attribute a JOIN writing_type t ON t.oid = a.atttypid
   WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT uses.relation, uses.action FROM uses JOIN calling ON calling.relation = uses.object
   WHERE uses.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND calling.action = 'read'
     AND uses.relation <> uses.object
), acting(relation, action) AS (
  SELECT relation, action FROM calling
  UNION
  SELECT t.tgrelid, 'write' FROM pg_catalog.pg_trigger t
   WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      WHERE p.oid = t.tgfoid AND ${IS_CAPTURE('p', 'n')})
  UNION
  SELECT t.tgrelid, 'commit' FROM pg_catalog.pg_trigger t
   WHERE t.tgdeferrable AND NOT t.tgisinternal AND t.tgenabled <> 'D'
  UNION
  SELECT ev_class, 'write' FROM pg_catalog.pg_rewrite WHERE rulename <> '_RETURN'
)`;

/** All relations to which a name in a FROM clause can resolve, including sequences and indexes. */
export const RELATIONS = `${SIDE_EFFECTS}
SELECT c.oid::text AS id, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       ${OF_USERS} AS user_defined,
       c.relpersistence = 'u' AS unlogged, c.relrowsecurity AS row_secured,
       CASE WHEN c.relrowsecurity THEN pg_catalog.row_security_active(c.oid) ELSE false END
         AS row_security,
       COALESCE(a.actions, '[]') AS side_effects,
       CASE WHEN c.relkind IN ('v', 'm') AND ${OF_USERS}
         THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN (SELECT relation, pg_catalog.array_to_json(pg_catalog.array_agg(action ORDER BY action))::text AS actions
               FROM acting GROUP BY relation) AS a ON a.relation = c.oid
 WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_toast')
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp')
 ORDER BY 2, 3`;

/** Partitions and inheriting tables, each with a parent table. */
export const FAMILIES = `
SELECT i.inhrelid::text AS child, i.inhparent::text AS parent
  FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
 WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
 ORDER BY 1, 2`;

/** The foreign keys, without those that a partition inherits from its parent table. */
export const FOREIGN_KEYS = `
SELECT DISTINCT f.confrelid::text AS referenced, f.conrelid::text AS referencing
  FROM pg_catalog.pg_constraint f
 WHERE f.contype = 'f' AND f.conparentid = 0
 ORDER BY 1, 2`;

/** The triggers that report writes, by table and function, in all namespaces that have an outbox. */
export const CAPTURES = `
SELECT n.nspname || '.' || c.relname AS table, f.nspname::text AS schema,
       CASE WHEN p.proconfig @> '{client_min_messages=notice}' THEN p.prosrc END AS source,
       pg_catalog.bool_and(t.tgenabled = 'A') AS enabled, pg_catalog.count(*)::int AS count
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace
 WHERE ${IS_CAPTURE('p', 'f')}
   AND EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.relname = 'outbox' AND o.relnamespace = f.oid)
 GROUP BY n.nspname, c.relname, f.nspname, p.oid
 ORDER BY 1, 2`;

export const VIEW_SOURCES = `
SELECT DISTINCT r.ev_class::text AS relation, d.refobjid::text AS source
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_depend d ON d.objid = r.oid
   AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
 WHERE r.rulename = '_RETURN' AND d.refobjid <> r.ev_class
 ORDER BY 1, 2`;

/** The expressions that restrict SELECT; an INSERT policy has none. */
export const POLICIES = `
SELECT p.polrelid::text AS relation, pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS condition
  FROM pg_catalog.pg_policy p
 WHERE p.polcmd IN ('*', 'r') AND p.polqual IS NOT NULL
 ORDER BY 1, p.polname`;
