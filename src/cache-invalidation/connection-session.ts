/** What this process knows of one PostgreSQL connection: its statements and its open transaction. */
import { setTimeout as pause } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import {
  parseSessionNames,
  SESSION_NAMES,
  type Catalogue,
  type SessionNames,
  type StatementAnalysis,
} from '../query-cache/index.js';
import { TransactionLog } from './core/transaction-log.js';
import type { Announcement } from './core/write-protocol.js';

/** The part of a node-postgres client that is used here. */
export interface PostgresClient {
  /** Process id of the backend, `null` before the connection is made. */
  readonly processID: number | null;
  /** As the server said last: idle, in a transaction, in a failed transaction. */
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  query(
    sql: string,
    parameters?: unknown[],
  ): Promise<{ command?: string; rows: Record<string, unknown>[] }>;
}

/** A statement between `beforeQuery` and the end of `afterQuery`. */
export class RunningStatement {
  analysis: StatementAnalysis | undefined;
  /** The catalogue at hand when it was sent. */
  catalogue: Catalogue | undefined;
  /** The same, with names as they are over the connection: the analysis was made under it. */
  meaning: Catalogue | undefined;
  /** Whether a transaction was open when it was sent. */
  wasInTransaction = false;
  /** The old rows' dimension columns, read and locked before the statement. */
  probed: readonly Record<string, unknown>[] | undefined;
  /** For COMMIT, and for statements that commit by themselves. */
  announcement: Announcement | undefined;
  /** Commits or rolls back the transaction that was opened for this statement alone. */
  endOwnTransaction: ((success: boolean) => Promise<void>) | undefined;
  /** Undoes what was done for the statement, when it was never sent. */
  abandon: (() => Promise<void>) | undefined;
  isAnswered = false;
  readonly left: Promise<void>;
  leave: () => void = () => undefined;

  constructor(
    readonly runner: QueryRunner,
    readonly sql: string,
    readonly parameters: unknown,
  ) {
    this.left = new Promise((resolve) => (this.leave = resolve));
  }
}

const HAS_WRITTEN = 'SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL AS written';

/** After this time it is looked whether the statement that is waited for was sent at all. */
const LOOK_AFTER_MS = 250;
/** Time for an answer to travel from node-postgres through TypeORM. */
const ANSWER_TRAVELS_MS = 20;

export class ConnectionSession {
  readonly log = new TransactionLog();
  /** The open transaction has changed the schema. */
  hasChangedSchema = false;
  /** The catalogue under which the open transaction's first write was understood. */
  understoodBy: Catalogue | undefined;
  /** In the order of their arrival. */
  readonly #running: RunningStatement[] = [];
  #names: SessionNames | undefined;
  /** The catalogue for which the names were asked; `undefined`: they may have changed since. */
  #namesAskedFor: Catalogue | undefined;
  /** Something has changed the names, and the end of a transaction may change them back. */
  #namesVary = false;
  #isStatusOld = false;

  constructor(readonly client: PostgresClient) {}

  get isInTransaction(): boolean {
    const status = this.client.getTransactionStatus();
    return status === 'T' || status === 'E';
  }

  /** A statement has failed: node-postgres reports that before it has heard the new status. */
  expectNewStatus(): void {
    this.#isStatusOld = true;
  }

  /** Makes sure the status is the present one: an empty query brings it in. */
  async refreshStatus(): Promise<void> {
    if (!this.#isStatusOld) return;
    await this.client.query('');
    this.#isStatusOld = false;
  }

  /** Whether the open transaction has an id: it is given one by its first change of anything. */
  async hasWritten(): Promise<boolean> {
    if (this.client.getTransactionStatus() === 'E') return true;
    const { rows } = await this.client.query(HAS_WRITTEN);
    return rows[0]?.['written'] !== false;
  }

  /** The names may find something else from here on. */
  forgetNames(): void {
    this.#namesVary = true;
    this.#namesAskedFor = undefined;
  }

  /**
   * The names over this connection where they differ from those over a new one. Asks the server
   * where that is not known; not in a failed transaction, in which nothing is carried out.
   */
  async namesUnder(
    catalogue: Catalogue,
    isUsual: (searchPath: readonly string[]) => boolean,
  ): Promise<SessionNames | undefined> {
    if (this.#namesAskedFor === catalogue) return this.#names;
    await this.refreshStatus();
    if (this.client.getTransactionStatus() === 'E') return this.#names;
    const names = parseSessionNames((await this.client.query(SESSION_NAMES)).rows);
    this.#names = isUsual(names.searchPath) ? undefined : names;
    this.#namesAskedFor = catalogue;
    if (!this.#names && !this.isInTransaction) this.#namesVary = false;
    return this.#names;
  }

  /** A transaction or a part of it has ended: what it had set for itself is gone. */
  restoreNames(): void {
    if (this.#namesVary || this.#names) this.#namesAskedFor = undefined;
  }

  /** The transaction has ended, either way. */
  endTransaction(): void {
    this.restoreNames();
    this.log.clear();
    this.understoodBy = undefined;
    this.hasChangedSchema = false;
  }

  arrive(runner: QueryRunner, sql: string, parameters: unknown): RunningStatement {
    const statement = new RunningStatement(runner, sql, parameters);
    this.#running.push(statement);
    return statement;
  }

  /** The statement with that text and parameters; the earliest when it was sent more than once. */
  find(sql: string, parameters: unknown): RunningStatement | undefined {
    return this.#running.find(
      (statement) =>
        statement.sql === sql && statement.parameters === parameters && !statement.isAnswered,
    );
  }

  leave(statement: RunningStatement): void {
    const index = this.#running.indexOf(statement);
    if (index !== -1) this.#running.splice(index, 1);
    statement.leave();
  }

  /**
   * Waits until the statements that arrived earlier have been dealt with. The server takes the
   * statements of a connection one after the other anyway; what is done around them must keep to
   * the same order.
   *
   * A statement that was never sent is not waited for. Of the present query runner, it is held up
   * by a subscriber of its `beforeQuery`, who may be waiting for the present statement. Of an
   * earlier one, a subscriber has refused it; what was done for it is undone.
   */
  async turnOf(statement: RunningStatement): Promise<void> {
    const earlier = this.#running.slice(0, this.#running.indexOf(statement));
    for (const other of earlier) {
      if (!(await this.#isUnsent(other)) || other.runner === statement.runner) continue;
      await other.abandon?.();
      this.leave(other);
    }
  }

  /**
   * Undoes what was done for a statement whose query runner was released without sending it. Never
   * rejects: where the connection is gone, nothing is left to undo.
   */
  async abandonUnsent(statement: RunningStatement): Promise<void> {
    if (!this.#running.includes(statement) || !statement.runner.isReleased) return;
    try {
      if (!(await this.#isUnsent(statement))) return;
      await statement.abandon?.();
    } catch {
      // The connection is gone.
    }
    this.leave(statement);
  }

  /** The server answers in order: an empty query comes back after a statement sent before it. */
  async #isUnsent(statement: RunningStatement): Promise<boolean> {
    const isLate = await Promise.race([
      statement.left.then(() => false),
      pause(LOOK_AFTER_MS, true, { ref: false }),
    ]);
    if (!isLate) return false;
    await this.client.query('');
    await pause(ANSWER_TRAVELS_MS);
    if (!statement.isAnswered) return true;
    await statement.left;
    return false;
  }
}
