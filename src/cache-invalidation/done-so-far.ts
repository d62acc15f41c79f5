import type { PostgresClient } from './postgres-client.js';

/** The catalogues in which a change is one of the schema. */
const SCHEMA_CATALOGUES = [
  ...['pg_class', 'pg_attribute', 'pg_attrdef', 'pg_constraint', 'pg_index', 'pg_inherits'],
  ...['pg_namespace', 'pg_policy', 'pg_rewrite', 'pg_trigger', 'pg_proc', 'pg_aggregate'],
  ...['pg_operator', 'pg_cast', 'pg_type', 'pg_enum', 'pg_range', 'pg_collation', 'pg_extension'],
].map((name) => `pg_catalog.${name}`);

/**
 * The query of a cursor that is kept beyond its transaction (WITH HOLD) runs during COMMIT, when it
 * is too late to ask. The counts of changed rows are the session's own, and cost no look at a table;
 * they may still have those of a transaction that ended just before.
 */
const DONE_SO_FAR = `
SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL OR c.held AS has_written,
       c.held OR pg_catalog.current_setting('track_counts') <> 'on' OR EXISTS (
         SELECT FROM pg_catalog.unnest('{${SCHEMA_CATALOGUES.join()}}'::pg_catalog.regclass[]) AS t(id)
          WHERE pg_catalog.pg_stat_get_xact_tuples_inserted(t.id)
              + pg_catalog.pg_stat_get_xact_tuples_updated(t.id)
              + pg_catalog.pg_stat_get_xact_tuples_deleted(t.id) > 0) AS has_changed_schema
  FROM (SELECT EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable) AS held) AS c`;

/** What an open transaction has done, by the server's account. */
export interface DoneSoFar {
  readonly hasWritten: boolean;
  readonly hasChangedSchema: boolean;
}

/** @param around statements to be carried out on the same way: two before, one after */
export async function doneSoFar(
  client: PostgresClient,
  around?: { readonly before: string; readonly after: string },
): Promise<DoneSoFar> {
  const text = around ? `${around.before};${DONE_SO_FAR};${around.after}` : DONE_SO_FAR;
  const answered = await client.query(text);
  // Several statements have several answers.
  const { rows } = (around ? [answered].flat().at(-2) : undefined) ?? answered;
  return {
    hasWritten: rows[0]?.['has_written'] !== false,
    hasChangedSchema: rows[0]?.['has_changed_schema'] !== false,
  };
}
