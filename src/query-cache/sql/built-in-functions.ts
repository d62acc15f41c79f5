/**
 * What PostgreSQL's volatility marks leave open about its own functions.
 *
 * `stable` promises the same answer within one statement only: the now family, functions that
 * look at the session, at statistics, at the catalogue or run SQL are all marked so. Listed here
 * are the stable ones whose answer follows from their arguments and the settings that are part of
 * every key; all others are refused in cached answers. `volatile` says nothing of writing; listed
 * are the volatile ones that change no table.
 */
import type { Catalogue } from '../core/table-facts.js';
import type { QualifiedName } from './syntax-tree.js';

const words = (text: string): string[] => text.trim().split(/\s+/);

const STABLE_AND_CACHEABLE: ReadonlySet<string> = new Set(
  words(`
    array_to_json array_to_string concat concat_ws convert convert_from convert_to
    date date_add date_part date_subtract date_trunc extract format generate_series
    json_agg json_build_array json_build_object json_object_agg json_object_agg_strict
    json_object_agg_unique json_object_agg_unique_strict json_agg_strict
    json_to_record json_to_recordset json_to_tsvector
    jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object jsonb_object_agg
    jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict
    jsonb_to_record jsonb_to_recordset jsonb_to_tsvector length make_timestamptz numeric overlaps
    phraseto_tsquery plainto_tsquery quote_literal quote_nullable row_to_json time timestamp
    timestamptz timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery
    to_tsvector ts_headline websearch_to_tsquery
  `),
);

/** Why the best known of the stable functions are not cached. */
const REASON_OF_STABLE: ReadonlyMap<string, string> = new Map(
  (
    [
      ['its answer moves with the clock', 'now transaction_timestamp statement_timestamp timetz'],
      [
        'it may give a time of day the present offset of its time zone',
        `jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz
         jsonb_path_query_first_tz jsonb_path_query_tz`,
      ],
      [
        'it may read a text as a date, and the text may name a moment, such as now',
        'json_populate_record json_populate_recordset jsonb_populate_record jsonb_populate_recordset',
      ],
      [
        'its answer depends on the session',
        `current_setting current_user session_user current_schema current_schemas current_database
         pg_backend_pid inet_client_addr inet_client_port has_table_privilege pg_has_role`,
      ],
      [
        'its answer depends on the transaction',
        `txid_current txid_current_if_assigned txid_current_snapshot pg_current_xact_id
         pg_current_xact_id_if_assigned pg_current_snapshot mxid_age`,
      ],
      [
        'it runs SQL of its own',
        'table_to_xml schema_to_xml database_to_xml table_to_xml_and_xmlschema',
      ],
    ] as const
  ).flatMap(([reason, names]) => words(names).map((name) => [name, reason] as const)),
);

/** `age(x)` counts from the current date, `age(x, y)` does not. */
const CACHEABLE_WITH_TWO_ARGUMENTS = 'age';

const VOLATILE_AND_HARMLESS: ReadonlySet<string> = new Set(
  words(`
    array_sample array_shuffle clock_timestamp current_query currval gen_random_uuid lastval nextval random random_normal
    setseed setval set_config timeofday uuidv4 uuidv7
    pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
    pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared
    pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock
    pg_try_advisory_xact_lock_shared
    pg_blocking_pids pg_cancel_backend pg_terminate_backend pg_notify pg_sleep pg_sleep_for
    pg_sleep_until pg_export_snapshot pg_notification_queue_usage pg_safe_snapshot_blocking_pids
    pg_database_size pg_indexes_size pg_relation_size pg_table_size pg_tablespace_size
    pg_total_relation_size pg_partition_ancestors pg_partition_tree pg_sequence_last_value
    pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_is_in_recovery
    pg_is_wal_replay_paused pg_last_wal_receive_lsn pg_last_wal_replay_lsn
    pg_last_xact_replay_timestamp pg_xact_commit_timestamp pg_xact_status txid_status
    pg_lock_status pg_prepared_xact pg_stat_clear_snapshot
  `),
);

/** Stable in name, but they run SQL that may call anything. */
const RUNS_SQL: ReadonlySet<string> = new Set(
  words(`
    database_to_xml database_to_xml_and_xmlschema database_to_xmlschema
    schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema
    table_to_xml table_to_xml_and_xmlschema table_to_xmlschema
  `),
);

export interface FunctionRefusal {
  readonly reason: 'volatile-function' | 'unknown-function';
  readonly detail: string;
}

/** Why an answer that calls the function cannot be cached; `undefined` where it can. */
export function refusalOf(
  { schema, name }: QualifiedName,
  argumentCount: number,
  catalogue: Catalogue,
): FunctionRefusal | undefined {
  const volatility = catalogue.functionVolatility(schema, name);
  if (volatility === undefined) {
    return { reason: 'unknown-function', detail: `function ${name} is not in the catalogue` };
  }
  if (volatility === 'immutable') return undefined;
  if (!catalogue.isBuiltIn(schema, name)) return refuse(name, 'it may read any table');
  if (volatility === 'volatile') return refuse(name, 'it may answer differently every time');
  if (STABLE_AND_CACHEABLE.has(name)) return undefined;
  if (name === CACHEABLE_WITH_TWO_ARGUMENTS && argumentCount === 2) return undefined;
  return refuse(name, REASON_OF_STABLE.get(name) ?? 'its answer may depend on the session');
}

/**
 * Whether a call changes no table, whatever its arguments.
 *
 * @param believesStable whether a user's function that is marked STABLE is taken at its word.
 */
export function isHarmless(
  { schema, name }: QualifiedName,
  catalogue: Catalogue,
  believesStable: boolean,
): boolean {
  const volatility = catalogue.functionVolatility(schema, name);
  if (volatility === undefined) return false;
  if (!catalogue.isBuiltIn(schema, name)) {
    const writing = catalogue.writingVolatility(schema, name);
    return writing === undefined || (writing === 'stable' && believesStable);
  }
  return volatility === 'volatile' ? VOLATILE_AND_HARMLESS.has(name) : !RUNS_SQL.has(name);
}

function refuse(name: string, why: string): FunctionRefusal {
  return { reason: 'volatile-function', detail: `function ${name}: ${why}` };
}
