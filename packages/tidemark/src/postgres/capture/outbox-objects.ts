/**
 * The names of all database objects of one namespace: a schema with the outbox and the functions that fill it, and the
 * triggers on the cached tables.
 *
 * Services with other namespaces have other outboxes, so that none waits for another's relay.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';

/** In bytes: PostgreSQL truncates longer identifiers. */
const MAX_IDENTIFIER = 63;
const MAX_SUFFIX = '_truncate'.length;

export const OUTBOX_SCHEMA_PREFIX = 'tidemark_';
/** Prefix of the function names in such a schema; postgres/catalog/relation-queries.ts uses both prefixes. */
export const CAPTURE_PREFIX = 'capture_';
/** The session setting that names the namespace for which the session publishes its own writes. */
export const PUBLISHING_SETTING = 'tidemark.publishes';
/** SQLSTATE of the notices that triggers send to such a session. */
export const NOTICE_CODE = 'TDMRK';
/** Stands for every table in a row of the outbox. */
export const EVERY_TABLE = '*';

export type CaptureEvent = 'insert' | 'update' | 'delete' | 'truncate';
export const CAPTURE_EVENTS: readonly CaptureEvent[] = ['insert', 'update', 'delete', 'truncate'];

export class OutboxObjects {
  /** Unquoted. Also the name of the notification channel. */
  readonly schema: string;
  readonly quotedSchema: string;
  /** Quoted and schema-qualified. */
  readonly table: string;

  constructor(readonly namespace: string) {
    const plain = OUTBOX_SCHEMA_PREFIX + namespace;
    const isShort = Buffer.byteLength(plain) + MAX_SUFFIX <= MAX_IDENTIFIER;
    this.schema = isShort ? plain : OUTBOX_SCHEMA_PREFIX + shortHash(namespace);
    this.quotedSchema = pg.escapeIdentifier(this.schema);
    this.table = `${this.quotedSchema}."outbox"`;
  }

  /** Quoted and schema-qualified. A renamed table gets another function. */
  captureFunction(tableId: string): string {
    return `${this.quotedSchema}."${CAPTURE_PREFIX}${shortHash(tableId)}"`;
  }

  /** Unquoted. */
  trigger(event: CaptureEvent): string {
    return `${this.schema}_${event}`;
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
