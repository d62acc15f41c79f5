import type { PostgresNotice } from './outbox/trigger-notice.js';

/** The part of a statement's result that is used here. */
export interface StatementAnswer {
  readonly command?: string;
  readonly rows: Record<string, unknown>[];
}

/** The part of a node-postgres client that is used here. */
export interface PostgresClient {
  /** Not there where the client is native, which passes no notices on. */
  readonly connection?: object;
  /** Process id of the backend, `null` before the connection is made. */
  readonly processID: number | null;
  /** As the server said last: idle, in a transaction, in a failed transaction. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  query(sql: string, parameters?: unknown[]): Promise<StatementAnswer>;
  /** A query that knows how to send itself and whom to tell, or one with options. */
  query(query: object): unknown;
  on(event: 'notice', listener: (notice: PostgresNotice) => void): unknown;
  /** The connection is gone. */
  on(event: 'end', listener: () => void): unknown;
}
