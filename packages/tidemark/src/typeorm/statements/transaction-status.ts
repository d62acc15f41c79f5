/** Queries the server for the changes of the open transaction so far. */
import pg from 'pg';
import { FIRST_OID_OF_USERS } from '../../postgres/catalog/writing-functions.js';
import {
  PUBLISHING_SETTING,
  CAPTURE_EVENTS,
  OUTBOX_SCHEMA_PREFIX,
  type OutboxObjects,
} from '../../postgres/capture/outbox-objects.js';
import type { PostgresClient } from '../../postgres/postgres-client.js';

const { escapeLiteral: text } = pg;

/** The catalogs in which a changed row is a schema change. */
const SCHEMA_CATALOGS = [
  ...['pg_class', 'pg_attribute', 'pg_attrdef', 'pg_constraint', 'pg_index', 'pg_inherits'],
  ...['pg_namespace', 'pg_policy', 'pg_rewrite', 'pg_trigger', 'pg_proc', 'pg_aggregate'],
  ...['pg_operator', 'pg_cast', 'pg_type', 'pg_enum', 'pg_range', 'pg_collation', 'pg_extension'],
].map((name) => `pg_catalog.${name}`);

const CHANGED = (id: string): string =>
  `pg_catalog.pg_stat_get_xact_tuples_inserted(${id})
   + pg_catalog.pg_stat_get_xact_tuples_updated(${id})
   + pg_catalog.pg_stat_get_xact_tuples_deleted(${id}) > 0`;

const TRIGGERS = (objects: OutboxObjects): string =>
  CAPTURE_EVENTS.map((event) => text(objects.trigger(event))).join(', ');

/**
 * The query of a cursor that outlives its transaction (WITH HOLD) runs during COMMIT, when it is too late to query its
 * effects. The counts of changed rows are local to the session and need no read of a table. They may still include
 * those of a transaction that ended just before.
 */
const transactionStatusQuery = (objects: OutboxObjects): string => `
SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL OR c.held AS has_written,
       c.held OR c.uncounted OR EXISTS (
         SELECT FROM pg_catalog.unnest('{${SCHEMA_CATALOGS.join()}}'::pg_catalog.regclass[]) AS t(id)
          WHERE ${CHANGED('t.id')}) AS has_changed_schema,
       pg_catalog.current_setting(${text(PUBLISHING_SETTING)}, true)
         IS DISTINCT FROM ${text(objects.namespace)} AS has_lost_setting,
       (SELECT COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object(
                 'table', n.nspname || '.' || r.relname,
                 'isReported', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger g
                              WHERE g.tgrelid = r.oid AND g.tgenabled = 'A'
                                AND g.tgname IN (${TRIGGERS(objects)})) = ${CAPTURE_EVENTS.length})), '[]')::pg_catalog.text
          FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
         WHERE r.relkind IN ('r', 'm') AND r.relpersistence <> 't' AND r.oid >= ${FIRST_OID_OF_USERS}
           AND NOT (r.relname = 'outbox' AND pg_catalog.starts_with(n.nspname, ${text(OUTBOX_SCHEMA_PREFIX)}))
           AND NOT pg_catalog.starts_with(n.nspname, 'pg_')
           AND ${CHANGED('r.oid')}) AS changed
  FROM (SELECT EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable) AS held,
               pg_catalog.current_setting('track_counts') <> 'on' AS uncounted) AS c`;

export interface TransactionStatus {
  readonly hasWritten: boolean;
  readonly hasChangedSchema: boolean;
  /** The session has lost its setting, so the triggers sent it no notices. */
  readonly hasLostSetting: boolean;
  /** The tables whose rows have changed, and whether each has enabled triggers. */
  readonly changed: readonly { readonly table: string; readonly isReported: boolean }[];
}

export async function transactionStatus(
  client: PostgresClient,
  objects: OutboxObjects,
): Promise<TransactionStatus> {
  const { rows } = await client.query<Record<string, unknown>>(transactionStatusQuery(objects));
  return {
    hasWritten: rows[0]?.['has_written'] !== false,
    hasChangedSchema: rows[0]?.['has_changed_schema'] !== false,
    hasLostSetting: rows[0]?.['has_lost_setting'] !== false,
    changed: JSON.parse(String(rows[0]?.['changed'])) as TransactionStatus['changed'],
  };
}
