/**
 * The names of everything in the database that belongs to one namespace: a schema with the outbox and the functions
 * that fill it, and the triggers on the tables that are cached.
 *
 * Services with other namespaces have other outboxes, so that none waits for another's relay.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';

/** In bytes: PostgreSQL cuts longer identifiers off. */
const MAX_IDENTIFIER = 63;
const MAX_SUFFIX = '_truncate'.length;

export const OUTBOX_SCHEMA_PREFIX = 'tidemark_';
/** Begins the names of the functions in such a schema; query-cache/sql/relation-queries.ts knows both words. */
export const CAPTURE_PREFIX = 'capture_';
/** The session setting that names the namespace whose writes are published by the session itself. */
export const ANNOUNCING_SETTING = 'tidemark.publishes';
/** SQLSTATE of the notices that triggers send to such a session. */
export const NOTICE_CODE = 'TDMRK';
/** Stands for every table in a row of the outbox. */
export const EVERY_TABLE = '*';

export type CaptureEvent = 'insert' | 'update' | 'delete' | 'truncate';
export const CAPTURE_EVENTS: readonly CaptureEvent[] = ['insert', 'update', 'delete', 'truncate'];

export class OutboxObjects {
  /** Not quoted. Also the name of the channel that is notified. */
  readonly schema: string;
  readonly quotedSchema: string;
  /** Quoted, with its schema. */
  readonly table: string;

  constructor(readonly namespace: string) {
    const plain = OUTBOX_SCHEMA_PREFIX + namespace;
    const isShort = Buffer.byteLength(plain) + MAX_SUFFIX <= MAX_IDENTIFIER;
    this.schema = isShort ? plain : OUTBOX_SCHEMA_PREFIX + shortHash(namespace);
    this.quotedSchema = pg.escapeIdentifier(this.schema);
    this.table = `${this.quotedSchema}."outbox"`;
  }

  /** Quoted, with its schema. A table that is renamed gets another function. */
  captureFunction(tableId: string): string {
    return `${this.quotedSchema}."${CAPTURE_PREFIX}${shortHash(tableId)}"`;
  }

  /** Not quoted. */
  trigger(event: CaptureEvent): string {
    return `${this.schema}_${event}`;
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
