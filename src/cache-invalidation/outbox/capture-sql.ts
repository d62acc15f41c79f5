/**
 * The SQL by which a table tells what is written to it, whoever writes.
 *
 * Four triggers, one for each kind of statement, call one function. It puts a row into the outbox that
 * names the table, the values of its dimensions in the rows as they were and as they are, and the
 * transaction, and notifies the relay. A statement that changes many rows adds one row: above a bound
 * a dimension's values are left out, which says that any may have changed.
 *
 * The function runs with the rights of its owner, so that who may write the table needs none on the
 * outbox, and under a search path of its own. It has no dynamic SQL; every name in it is quoted.
 *
 * In a session that announces its statements itself (statement-watcher.ts) the function says what has
 * changed in a notice, which arrives before the statement's answer and costs no round trip
 * (trigger-notice.ts). That is all where the statement is the session's own, with what rules and foreign
 * keys add to it. What a trigger's statements do goes into the outbox as well: those of a deferred trigger
 * run during COMMIT, when it is too late to announce anything.
 */
import pg from 'pg';
import type { Dimension, TableFacts } from '../../query-cache/core/table-facts.js';
import { MOST_VALUES } from '../../query-cache/core/touched-regions.js';
import {
  ANNOUNCING_SETTING,
  CAPTURE_EVENTS,
  NOTICE_CODE,
  type CaptureEvent,
  type OutboxObjects,
} from './outbox-objects.js';

const { escapeIdentifier: name, escapeLiteral: text } = pg;

/** Rows in the outbox beyond which the oldest are given up, and with them what they say. */
const MOST_ROWS = 1_000_000;
/** Every so many rows it is looked whether there are too many. */
const LOOK_EVERY_ROWS = 1_000;
/** Stands for every table. */
export const EVERY_TABLE = '*';

/** The schema and the outbox of a namespace; does nothing where they are there. */
export function outboxStatements({ quotedSchema, table }: OutboxObjects): readonly string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${quotedSchema}`,
    `CREATE TABLE IF NOT EXISTS ${table} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  table_name text NOT NULL,
  regions jsonb,
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
)`,
  ];
}

/** The function and the triggers of one table; replaces those that are there. */
export function captureStatements(table: TableFacts, objects: OutboxObjects): readonly string[] {
  const relation = relationOf(table);
  return [
    ...functionStatements(table, objects),
    ...CAPTURE_EVENTS.map(
      (event) =>
        `CREATE OR REPLACE TRIGGER ${name(objects.trigger(event))} AFTER ${event.toUpperCase()} ON ${relation}${referencing(event)}
  FOR EACH STATEMENT EXECUTE FUNCTION ${objects.captureFunction(table.id)}()`,
    ),
    enablingStatement(table, objects),
  ];
}

/** Switches the triggers of one table on, also in sessions that switch triggers off (session_replication_role). */
export function enablingStatement(
  table: Pick<TableFacts, 'schema' | 'name'>,
  objects: OutboxObjects,
): string {
  const triggers = CAPTURE_EVENTS.map((event) => name(objects.trigger(event)));
  return `ALTER TABLE ${relationOf(table)} ${triggers.map((trigger) => `ENABLE ALWAYS TRIGGER ${trigger}`).join(', ')}`;
}

/** The function alone: no lock on the table is needed where its triggers are there. */
export function functionStatements(table: TableFacts, objects: OutboxObjects): readonly string[] {
  const captureFunction = `${objects.captureFunction(table.id)}()`;
  return [
    `CREATE OR REPLACE FUNCTION ${captureFunction} RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = notice AS ${text(captureBody(table, objects))}`,
    // Whoever could put it on a table of his own would run his casts with its owner's rights.
    `REVOKE ALL ON FUNCTION ${captureFunction} FROM PUBLIC`,
  ];
}

/** What a role of the service needs that does not own the outbox. */
export function grantStatements(
  role: string,
  { quotedSchema, table }: OutboxObjects,
): readonly string[] {
  return [
    `GRANT USAGE ON SCHEMA ${quotedSchema} TO ${name(role)}`,
    `GRANT SELECT, INSERT, DELETE, UPDATE ON ${table} TO ${name(role)}`,
  ];
}

/** Says that anything may have changed: what was written while triggers were missing is not known. */
export function missedStatements({ table, channel }: OutboxObjects): readonly string[] {
  return [
    `INSERT INTO ${table} (table_name) VALUES (${text(EVERY_TABLE)})`,
    `SELECT pg_catalog.pg_notify(${text(channel)}, '')`,
  ];
}

/** Takes all that belongs to the namespace away; `tables` have its triggers. */
export function removalStatements(
  tables: readonly Pick<TableFacts, 'schema' | 'name'>[],
  objects: OutboxObjects,
): readonly string[] {
  return [
    ...tables.flatMap((table) =>
      CAPTURE_EVENTS.map(
        (event) => `DROP TRIGGER IF EXISTS ${name(objects.trigger(event))} ON ${relationOf(table)}`,
      ),
    ),
    `DROP SCHEMA IF EXISTS ${objects.quotedSchema} CASCADE`,
  ];
}

export function relationOf(table: Pick<TableFacts, 'schema' | 'name'>): string {
  return `${name(table.schema)}.${name(table.name)}`;
}

function referencing(event: CaptureEvent): string {
  if (event === 'truncate') return '';
  const old = event === 'insert' ? '' : ' OLD TABLE AS old_rows';
  const fresh = event === 'delete' ? '' : ' NEW TABLE AS new_rows';
  return `\n  REFERENCING${old}${fresh}`;
}

/** What the function does, as PostgreSQL keeps it. */
export function captureBody(table: TableFacts, objects: OutboxObjects): string {
  return `
DECLARE
  is_announced boolean := pg_catalog.current_setting(${text(ANNOUNCING_SETTING)}, true)
    IS NOT DISTINCT FROM ${text(objects.namespace)};
  images bigint;
  regions jsonb;
  added bigint;
  callers text;
BEGIN
${computing(table)}
${moving(table)}  IF images = 0 THEN RETURN NULL; END IF;
  IF NOT is_announced OR pg_catalog.pg_trigger_depth() > 1 THEN
${recording(table, objects)}
  END IF;
  IF is_announced THEN
    RAISE NOTICE USING ERRCODE = ${text(NOTICE_CODE)}, MESSAGE = ${text(objects.namespace)},
      DETAIL = ${text(table.id)}, HINT = pg_catalog.jsonb_build_object('id', added::pg_catalog.text, 'regions', regions)::pg_catalog.text;
  END IF;
  RETURN NULL;
END
`;
}

/** Few rows are looked at once for all dimensions; of many, each dimension may still have few values. */
function computing(table: TableFacts): string {
  const branches = (['insert', 'update', 'delete'] as const).map(
    (event) => `${event === 'insert' ? 'IF' : 'ELSIF'} TG_OP = ${text(event.toUpperCase())} THEN
        ${valuesOfFew(table.dimensions, imagesOf(event))};
        IF images > ${MOST_VALUES} THEN
          regions := pg_catalog.jsonb_build_object(${table.dimensions
            .map(
              (dimension) =>
                `${text(dimension.name)}, (${valuesOf(dimension, imagesOf(event), dimension.name === table.primaryKey)})`,
            )
            .join(', ')});
        END IF;`,
  );
  return `    BEGIN
      ${branches.join('\n      ')}
      END IF;
    EXCEPTION WHEN undefined_column THEN
      -- Somebody has renamed or dropped one since: until that is known here, any value may have changed.
      regions := NULL;
    END;`;
}

/**
 * PostgreSQL leaves a row that a MERGE moves to another partition out of the transition tables: any row may
 * have changed. The MERGE may stand in a function; the text of one in SQL, or behind EXECUTE, is not known.
 */
function moving({ kind }: TableFacts): string {
  if (kind !== 'partitioned') return '';
  return `  IF TG_OP = 'UPDATE' THEN
    GET DIAGNOSTICS callers = PG_CONTEXT;
    IF pg_catalog.concat(pg_catalog.current_query(), callers) ~* '\\m(merge|execute)\\M|\\nSQL function' THEN
      images := 1;
      regions := NULL;
    END IF;
  END IF;
`;
}

function recording(table: TableFacts, objects: OutboxObjects): string {
  return `    INSERT INTO ${objects.table} (table_name, regions) VALUES (${text(table.id)}, regions)
      RETURNING id INTO added;
    PERFORM pg_catalog.pg_notify(${text(objects.channel)}, '');
    -- Nobody may be there any more to read: the oldest rows make room, and one says that all may have
    -- changed. Where deleting them could fail for what others have deleted, it is left to the next.
    IF added % ${LOOK_EVERY_ROWS} = 0
      AND pg_catalog.current_setting('transaction_isolation') = 'read committed'
    THEN
      DELETE FROM ${objects.table} WHERE id IN (
        SELECT id FROM ${objects.table} WHERE id <= added - ${MOST_ROWS} FOR UPDATE SKIP LOCKED);
      IF FOUND THEN INSERT INTO ${objects.table} (table_name) VALUES (${text(EVERY_TABLE)}); END IF;
    END IF;`;
}

function imagesOf(event: 'insert' | 'update' | 'delete'): readonly string[] {
  if (event === 'insert') return ['new_rows'];
  return event === 'delete' ? ['old_rows'] : ['old_rows', 'new_rows'];
}

/** The number of images of rows, and the values in them; of no more images than are few. */
function valuesOfFew(dimensions: readonly Dimension[], images: readonly string[]): string {
  const columns = [...new Set(dimensions.flatMap((dimension) => dimension.columns))];
  const place = (column: string): string => `v${columns.indexOf(column)}`;
  const rows = images.map((image) => {
    const texts = columns.map(
      (column) => `${image}.${name(column)}::pg_catalog.text AS ${place(column)}`,
    );
    return `SELECT ${texts.join(', ')} FROM ${image}`;
  });
  const values = dimensions.map(
    (dimension) =>
      `${text(dimension.name)}, pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_array(${dimension.columns.map(place).join(', ')}))`,
  );
  return `SELECT pg_catalog.count(*), pg_catalog.jsonb_build_object(${values.join(', ')})
          INTO images, regions FROM (${rows.join(' UNION ALL ')} LIMIT ${MOST_VALUES + 1}) r`;
}

/**
 * The distinct values as a list of lists of texts; NULL where there are too many. Each row has a key of
 * its own: that there are too many of them is told without looking at all.
 */
function valuesOf({ columns }: Dimension, images: readonly string[], isKey: boolean): string {
  const numbered = columns.map((_, index) => `v${index}`).join(', ');
  // With the image's name: a column may be called like a variable of the function.
  const texts = (image: string): string =>
    columns
      .map((column, index) => `${image}.${name(column)}::pg_catalog.text AS v${index}`)
      .join(', ');
  const rows = images.map((image) => `SELECT ${texts(image)} FROM ${image}`).join(' UNION ALL ');
  const list = `SELECT CASE WHEN pg_catalog.count(*) <= ${MOST_VALUES}
      THEN pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(${numbered})) END
      FROM (SELECT DISTINCT ${numbered} FROM (${rows}) r LIMIT ${MOST_VALUES + 1}) s`;
  if (!isKey) return list;
  return `SELECT CASE WHEN (SELECT pg_catalog.count(*) FROM (SELECT FROM ${images[0]} LIMIT ${MOST_VALUES + 1}) s) <= ${MOST_VALUES}
      THEN (${list}) END`;
}
