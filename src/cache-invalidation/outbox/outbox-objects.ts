/**
 * The names of what lies in the database for one namespace: a schema of its own with the outbox and
 * the functions that fill it, and the triggers on the tables that are cached.
 *
 * Services with other namespaces have outboxes of their own, so that none waits for another's relay.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';

/** In bytes: PostgreSQL cuts longer identifiers off. */
const LONGEST_IDENTIFIER = 63;
const LONGEST_SUFFIX = '_truncate'.length;

export const OUTBOX_SCHEMA_PREFIX = 'tidemark_';
/** How the functions in such a schema are called; query-cache/sql/relation-queries.ts knows both words. */
export const CAPTURE_PREFIX = 'capture_';
/** The session setting that names the namespace whose writes are announced by the session itself. */
export const ANNOUNCING_SETTING = 'tidemark.announces';
/** SQLSTATE of the notices by which triggers tell such a session what it has changed. */
export const NOTICE_CODE = 'TDMRK';

export type CaptureEvent = 'insert' | 'update' | 'delete' | 'truncate';
export const CAPTURE_EVENTS: readonly CaptureEvent[] = ['insert', 'update', 'delete', 'truncate'];

export class OutboxObjects {
  /** Not quoted. Also the name of the channel that is notified. */
  readonly schema: string;

  constructor(readonly namespace: string) {
    const plain = OUTBOX_SCHEMA_PREFIX + namespace;
    this.schema =
      Buffer.byteLength(plain) + LONGEST_SUFFIX <= LONGEST_IDENTIFIER
        ? plain
        : OUTBOX_SCHEMA_PREFIX + shortHash(namespace);
  }

  get channel(): string {
    return this.schema;
  }

  /** Quoted, with its schema. */
  get table(): string {
    return this.#inSchema('outbox');
  }

  get quotedSchema(): string {
    return pg.escapeIdentifier(this.schema);
  }

  /** Quoted, with its schema. A table that is renamed gets another function. */
  captureFunction(tableId: string): string {
    return this.#inSchema(this.captureName(tableId));
  }

  /** Not quoted. */
  captureName(tableId: string): string {
    return CAPTURE_PREFIX + shortHash(tableId);
  }

  /** Not quoted. */
  trigger(event: CaptureEvent): string {
    return `${this.schema}_${event}`;
  }

  #inSchema(name: string): string {
    return `${this.quotedSchema}.${pg.escapeIdentifier(name)}`;
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
