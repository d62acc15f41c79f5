import type { ClientBase } from 'pg';

/** Sends one statement and answers its rows, always over the same connection. */
export type RunSql = (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

/** A node-postgres client, with the fields that its types lack. */
export interface PostgresClient extends ClientBase {
  /** Missing where the client is native, which passes no notices on. */
  readonly connection?: object;
  /** Process id of the backend, `null` before the connection is made. */
  readonly processID: number | null;
}
