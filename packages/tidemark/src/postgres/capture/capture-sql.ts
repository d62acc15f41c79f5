/**
 * The SQL of the triggers with which a table reports its writes.
 *
 * Four triggers, one per kind of statement, call one function. The function inserts a row into the outbox that names
 * the table, the values of its dimensions in the old and new rows, and the transaction, and notifies the relay. A
 * statement that changes many rows adds one row: above a limit a dimension's values are omitted, which means that any
 * may have changed.
 *
 * The function runs with the rights of its owner, so that a role that may write the table needs no rights on the
 * outbox, and under a pinned search path. It has no dynamic SQL, and every name in it is quoted.
 *
 * In a session that publishes its statements itself (statement-interceptor.ts) the function reports the change in a
 * notice, which arrives before the statement's answer and costs no round trip. The notice is enough for the session's
 * own statement, including the changes that rules and foreign keys add to it. Changes by the statements of a trigger go
 * into the outbox as well: those of a deferred trigger run during COMMIT, when it is too late to publish.
 */
import pg from 'pg';
import type { Dimension, TableFacts } from '../../core/table-facts.js';
import { MAX_VALUES } from '../../core/write-set.js';
import {
  PUBLISHING_SETTING,
  CAPTURE_EVENTS,
  EVERY_TABLE,
  NOTICE_CODE,
  type CaptureEvent,
  type OutboxObjects,
} from './outbox-objects.js';

const { escapeIdentifier: name, escapeLiteral: text } = pg;

/** With more rows in the outbox than this, the oldest are dropped. */
const MAX_ROWS = 1_000_000;
/** The number of rows is checked once per this many rows. */
const CHECK_EVERY_ROWS = 1_000;

/** The transition tables of each kind of statement. */
const IMAGES: Readonly<Record<CaptureEvent, readonly string[]>> = {
  insert: ['new_rows'],
  update: ['old_rows', 'new_rows'],
  delete: ['old_rows'],
  truncate: [],
};

type Relation = Pick<TableFacts, 'schema' | 'name'>;

/** Creates the schema and the outbox of a namespace; does nothing if they exist. */
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

/** The function and the triggers of one table; replaces existing ones. */
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

/** Enables the triggers of one table, even in sessions that disable triggers (session_replication_role). */
export function enablingStatement(table: Relation, objects: OutboxObjects): string {
  const enabling = CAPTURE_EVENTS.map(
    (event) => `ENABLE ALWAYS TRIGGER ${name(objects.trigger(event))}`,
  );
  return `ALTER TABLE ${relationOf(table)} ${enabling.join(', ')}`;
}

/** Only the function: if its triggers exist, no lock on the table is needed. */
export function functionStatements(table: TableFacts, objects: OutboxObjects): readonly string[] {
  const captureFunction = `${objects.captureFunction(table.id)}()`;
  return [
    `CREATE OR REPLACE FUNCTION ${captureFunction} RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = notice AS ${text(captureBody(table, objects))}`,
    // If another role put the function on its table, the function would run that role's casts with the rights of the
    // function's owner.
    `REVOKE ALL ON FUNCTION ${captureFunction} FROM PUBLIC`,
  ];
}

/** The rights that a service's role needs if it does not own the outbox. */
export function grantStatements(
  role: string,
  { quotedSchema, table }: OutboxObjects,
): readonly string[] {
  return [
    `GRANT USAGE ON SCHEMA ${quotedSchema} TO ${name(role)}`,
    `GRANT SELECT, INSERT, DELETE, UPDATE ON ${table} TO ${name(role)}`,
  ];
}

/**
 * Reports a change of any table, since the writes made while triggers were missing are unknown; or of the named tables.
 */
export function missedStatements(
  { table, schema }: OutboxObjects,
  names: readonly string[] = [EVERY_TABLE],
): readonly string[] {
  return [
    `INSERT INTO ${table} (table_name) VALUES ${names.map((one) => `(${text(one)})`).join(', ')}`,
    `SELECT pg_catalog.pg_notify(${text(schema)}, '')`,
  ];
}

/** Removes all objects of the namespace; `tables` are those with its triggers. */
export function removalStatements(
  tables: readonly Relation[],
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

function relationOf(table: Relation): string {
  return `${name(table.schema)}.${name(table.name)}`;
}

function referencing(event: CaptureEvent): string {
  const images = IMAGES[event].map((image) => `${image.slice(0, 3)} TABLE AS ${image}`);
  return images.length === 0 ? '' : `\n  REFERENCING ${images.join(' ')}`;
}

/** The body of the function, as PostgreSQL stores it. */
export function captureBody(table: TableFacts, objects: OutboxObjects): string {
  return `
DECLARE
  is_published boolean := pg_catalog.current_setting(${text(PUBLISHING_SETTING)}, true)
    IS NOT DISTINCT FROM ${text(objects.namespace)};
  is_written boolean := true;
  regions jsonb;
  added bigint;
  callers text;
BEGIN
${computing(table)}
${moving(table)}  IF NOT is_written THEN RETURN NULL; END IF;
  IF NOT is_published OR pg_catalog.pg_trigger_depth() > 1 THEN
${recording(table, objects)}
  END IF;
  IF is_published THEN
    RAISE NOTICE USING ERRCODE = ${text(NOTICE_CODE)}, MESSAGE = ${text(objects.namespace)},
      DETAIL = ${text(table.id)}, HINT = pg_catalog.jsonb_build_object('isRecorded', added IS NOT NULL, 'regions', regions)::pg_catalog.text;
  END IF;
  RETURN NULL;
END
`;
}

/** The values in the old and new rows, by dimension; NULL if there are too many. */
function computing({ dimensions }: TableFacts): string {
  const branches = (['insert', 'update', 'delete'] as const).map((event) => {
    const images = IMAGES[event];
    const values = dimensions.map(
      (dimension) => `${text(dimension.name)}, (${valuesOf(dimension, images)})`,
    );
    return `${event === 'insert' ? 'IF' : 'ELSIF'} TG_OP = ${text(event.toUpperCase())} THEN
        is_written := EXISTS (SELECT FROM ${images[0]});
        regions := pg_catalog.jsonb_build_object(${values.join(', ')});`;
  });
  return `    BEGIN
      ${branches.join('\n      ')}
      END IF;
    EXCEPTION WHEN undefined_column THEN
      -- A column was renamed or dropped since: until that is known here, any value may have changed.
      regions := NULL;
    END;`;
}

/**
 * PostgreSQL omits a row that a MERGE moves to another partition from the transition tables: any row may have changed.
 * The MERGE may be inside a function; its text is unknown if it is in an SQL function or behind EXECUTE.
 */
function moving({ kind }: TableFacts): string {
  if (kind !== 'partitioned') return '';
  return `  IF TG_OP = 'UPDATE' THEN
    GET DIAGNOSTICS callers = PG_CONTEXT;
    IF pg_catalog.concat(pg_catalog.current_query(), callers) ~* '\\m(merge|execute)\\M|\\nSQL function' THEN
      is_written := true;
      regions := NULL;
    END IF;
  END IF;
`;
}

function recording(table: TableFacts, objects: OutboxObjects): string {
  return `    INSERT INTO ${objects.table} (table_name, regions) VALUES (${text(table.id)}, regions)
      RETURNING id INTO added;
    PERFORM pg_catalog.pg_notify(${text(objects.schema)}, '');
    -- The outbox may have no reader any more: the oldest rows make room, and one says that all may have
    -- changed. Where deleting them could fail for rows that others have deleted, it is left to the next.
    IF added % ${CHECK_EVERY_ROWS} = 0
      AND pg_catalog.current_setting('transaction_isolation') = 'read committed'
    THEN
      DELETE FROM ${objects.table} WHERE id IN (
        SELECT id FROM ${objects.table} WHERE id <= added - ${MAX_ROWS} FOR UPDATE SKIP LOCKED);
      IF FOUND THEN INSERT INTO ${objects.table} (table_name) VALUES (${text(EVERY_TABLE)}); END IF;
    END IF;`;
}

function valuesOf({ columns }: Dimension, images: readonly string[]): string {
  const places = columns.map((_, at) => `v${at}`).join(', ');
  const rows = images.map((image) => {
    // Qualified with the image's name: a column may have the name of a variable of the function.
    const texts = columns.map(
      (column, at) => `${image}.${name(column)}::pg_catalog.text AS v${at}`,
    );
    return `SELECT ${texts.join(', ')} FROM ${image}`;
  });
  return `SELECT CASE WHEN pg_catalog.count(*) <= ${MAX_VALUES}
      THEN pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(${places})) END
      FROM (SELECT DISTINCT ${places} FROM (${rows.join(' UNION ALL ')}) r LIMIT ${MAX_VALUES + 1}) s`;
}
