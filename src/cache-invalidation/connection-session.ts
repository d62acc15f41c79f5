/** What this process knows of one PostgreSQL connection: its open transaction and who holds it. */
import { TransactionLog } from './core/transaction-log.js';
import type { Announcement } from './core/write-protocol.js';
import type { StatementAnalysis } from '../query-cache/index.js';

/** The part of a node-postgres client that is used here. */
export interface PostgresClient {
  /** Process id of the backend, `null` before the connection is made. */
  readonly processID: number | null;
  /** As the server said last: idle, in a transaction, in a failed transaction. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  query(sql: string, parameters?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

/** A statement between `beforeQuery` and `afterQuery`. */
export interface RunningStatement {
  readonly sql: string;
  readonly parameters: unknown;
  readonly analysis: StatementAnalysis;
  /** Whether a transaction was open when it was sent. */
  readonly wasInTransaction: boolean;
  /** The old rows' dimension columns, read and locked before the statement. */
  readonly probed?: readonly Record<string, unknown>[] | undefined;
  /** For COMMIT, and for statements that commit by themselves. */
  readonly announcement?: Announcement | undefined;
  /** Commits or rolls back the transaction that was opened for this statement alone. */
  readonly endOwnTransaction?: (success: boolean) => Promise<void>;
}

export class ConnectionSession {
  readonly log = new TransactionLog();
  /** The last statement failed, so the status may not have been heard of yet. */
  isStatusOutdated = false;
  /** The open transaction has changed the schema. */
  hasChangedSchema = false;
  readonly #running: RunningStatement[] = [];
  #turn: Promise<void> | undefined;

  constructor(readonly client: PostgresClient) {}

  get isInTransaction(): boolean {
    const status = this.client.getTransactionStatus();
    return status === 'T' || status === 'E';
  }

  /**
   * Makes sure the status is the present one. node-postgres reports a failed statement before it
   * has heard the server's status after it; an empty query brings that in.
   */
  async refreshStatus(): Promise<void> {
    if (!this.isStatusOutdated) return;
    this.isStatusOutdated = false;
    await this.client.query('');
  }

  start(statement: RunningStatement): void {
    this.#running.push(statement);
  }

  /** The started statement with that text and parameters; the earliest when sent more than once. */
  finish(sql: string, parameters: unknown): RunningStatement | undefined {
    const index = this.#running.findIndex(
      (statement) => statement.sql === sql && statement.parameters === parameters,
    );
    return index === -1 ? undefined : this.#running.splice(index, 1)[0];
  }

  /** Takes the connection for a statement with a transaction of its own; others wait for `release`. */
  async acquire(): Promise<() => void> {
    while (this.#turn) await this.#turn;
    let free: () => void = () => undefined;
    this.#turn = new Promise((resolve) => {
      free = resolve;
    });
    return () => {
      this.#turn = undefined;
      free();
    };
  }

  /** Waits while a statement with a transaction of its own is under way. */
  async available(): Promise<void> {
    while (this.#turn) await this.#turn;
  }
}
