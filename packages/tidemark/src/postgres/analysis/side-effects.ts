/** Whether evaluating a statement's expressions can change a table. */
import type { Catalog } from '../../core/table-facts.js';
import {
  namesOf,
  pick,
  qualifiedName,
  visit,
  words,
  type Node,
  type QualifiedName,
  type RangeVar,
  type TypeName,
} from './syntax-tree.js';

/**
 * The worst of a statement's parts counts:
 * - `none`: it uses only tables and built-in functions and types;
 * - `ruled-out`: users' definitions exclude it, which other sessions may have changed since;
 * - `promised`: it calls a user's STABLE function, which must not write but may call one that does;
 * - `possible`.
 *
 * The rows that the statement itself writes are not part of this.
 */
const SIDE_EFFECTS = ['none', 'ruled-out', 'promised', 'possible'] as const;
export type SideEffects = (typeof SIDE_EFFECTS)[number];

/** PostgreSQL's `volatile` does not imply writing: these change no table. */
const VOLATILE_WITHOUT_SIDE_EFFECTS = words(
  `array_sample array_shuffle clock_timestamp current_query currval gen_random_uuid lastval nextval
   random random_normal setseed setval set_config timeofday uuidv4 uuidv7
   pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
   pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared
   pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock
   pg_try_advisory_xact_lock_shared
   pg_blocking_pids pg_cancel_backend pg_terminate_backend pg_notify pg_sleep pg_sleep_for
   pg_sleep_until pg_database_size pg_indexes_size pg_relation_size pg_table_size
   pg_total_relation_size pg_partition_tree pg_is_in_recovery
   pg_current_wal_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn
   pg_last_xact_replay_timestamp pg_xact_status txid_status pg_lock_status
   pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_export_snapshot pg_is_wal_replay_paused
   pg_notification_queue_usage pg_partition_ancestors pg_prepared_xact
   pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_stat_clear_snapshot
   pg_tablespace_size pg_xact_commit_timestamp`,
);

/** Declared stable, but they run SQL that may call any function. */
const RUNS_SQL = words(
  `database_to_xml database_to_xml_and_xmlschema database_to_xmlschema
   schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema
   table_to_xml table_to_xml_and_xmlschema table_to_xmlschema`,
);

export function sideEffectsOf(statement: object, catalog: Catalog): SideEffects {
  const commonTables = new Set<string>();
  visit(statement, (key, value) => {
    if (key === 'CommonTableExpr' && 'ctename' in value) commonTables.add(String(value.ctename));
  });
  let worst = 0;
  visit(statement, (key, value) => {
    worst = Math.max(
      worst,
      SIDE_EFFECTS.indexOf(sideEffectsOfPart(key, value, catalog, commonTables)),
    );
  });
  return SIDE_EFFECTS[worst] ?? 'possible';
}

function sideEffectsOfPart(
  key: string,
  value: object,
  catalog: Catalog,
  commonTables: ReadonlySet<string>,
): SideEffects {
  const node = { [key]: value } as unknown as Node;
  if ('FuncCall' in node) return sideEffectsOfCall(qualifiedName(node.FuncCall.funcname), catalog);
  if ('A_Expr' in node) return sideEffectsOfOperator(node.A_Expr.name, catalog);
  if (key === 'operName' || key === 'useOp') return sideEffectsOfOperator(value as Node[], catalog);
  if (key === 'typeName') {
    const { schema, name } = qualifiedName((value as TypeName).names);
    if (!catalog.isTypeSideEffectFree(schema, name)) return 'possible';
    return catalog.isBuiltInType(schema, name) ? 'none' : 'ruled-out';
  }
  if (key === 'RangeVar' || key === 'relation') {
    return sideEffectsOfRelation(value, catalog, commonTables);
  }
  // `row.name` may call the function of that name.
  const fields = namesOf(pick(node, 'ColumnRef')?.fields).slice(1).slice(-1);
  const steps = (pick(node, 'A_Indirection')?.indirection ?? []).flatMap((step) => namesOf([step]));
  const mayWrite = [...fields, ...steps].some(
    (name) => catalog.writingVolatility(undefined, name) === 'volatile',
  );
  return mayWrite ? 'possible' : 'none';
}

/** Of the function alone, without the arguments of a call. */
export function sideEffectsOfCall({ schema, name }: QualifiedName, catalog: Catalog): SideEffects {
  const volatility = catalog.functionVolatility(schema, name);
  if (volatility === undefined) return 'possible';
  if (catalog.isBuiltIn(schema, name)) {
    const isSideEffectFree =
      volatility === 'volatile' ? VOLATILE_WITHOUT_SIDE_EFFECTS.has(name) : !RUNS_SQL.has(name);
    return isSideEffectFree ? 'none' : 'possible';
  }
  const writing = catalog.writingVolatility(schema, name);
  if (writing === undefined) return 'ruled-out';
  return writing === 'stable' ? 'promised' : 'possible';
}

/** An operator that the catalog does not know belongs to a type in a schema outside the path. */
function sideEffectsOfOperator(
  operator: readonly Node[] | undefined,
  catalog: Catalog,
): SideEffects {
  const { schema, name } = qualifiedName(operator);
  return catalog.operatorVolatility(schema, name) === 'volatile' ? 'possible' : 'none';
}

/** Reading a view runs the functions of its definition; reading a table runs those of its policies. */
function sideEffectsOfRelation(
  { schemaname, relname = '' }: RangeVar,
  catalog: Catalog,
  commonTables: ReadonlySet<string>,
): SideEffects {
  const table = catalog.table(schemaname, relname);
  if (table?.sideEffects.has('read')) return 'possible';
  if (table) return table.kind === 'view' || table.kind === 'foreign' ? 'ruled-out' : 'none';
  const isCommonTable = schemaname === undefined && commonTables.has(relname);
  return isCommonTable || catalog.isSystemRelation(schemaname, relname) ? 'none' : 'ruled-out';
}
