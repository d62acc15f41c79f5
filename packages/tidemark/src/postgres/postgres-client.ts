import type { EventEmitter } from 'node:events';
import type { ClientBase } from 'pg';

/** Sends one statement and resolves to its rows, always over the same connection. */
export type RunSql = (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

/** A node-postgres client, with the fields that its types lack. */
export interface PostgresClient extends ClientBase {
  /** Missing in a native client, which passes on no notices. */
  readonly connection?: EventEmitter;
  /** Process id of the backend; `null` before the connection is open. */
  readonly processID: number | null;
  /** `false` while the server executes a statement; absent in a native client. */
  readonly readyForQuery?: boolean;
  end(): Promise<void>;
}
