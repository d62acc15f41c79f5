/** What this process knows of one PostgreSQL connection: its open transaction and who holds it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import type { Catalogue, StatementAnalysis } from '../query-cache/index.js';
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

/** A statement between `beforeQuery` and `afterQuery`. */
export interface RunningStatement {
  readonly runner: QueryRunner;
  readonly sql: string;
  readonly parameters: unknown;
  /** `undefined` until it has been looked at. */
  analysis: Exclude<StatementAnalysis, { kind: 'read' }> | undefined;
  /** Under which the analysis was made. */
  catalogue: Catalogue | undefined;
  /** It waits for the connection and is part of no transaction yet. */
  isWaiting: boolean;
  /** Whether a transaction was open when it was sent. */
  wasInTransaction: boolean;
  /** The old rows' dimension columns, read and locked before the statement. */
  probed: readonly Record<string, unknown>[] | undefined;
  /** For COMMIT, and for statements that commit by themselves. */
  announcement: Announcement | undefined;
  /** Commits or rolls back the transaction that was opened for this statement alone. */
  endOwnTransaction: ((success: boolean) => Promise<void>) | undefined;
}

interface Turn {
  readonly runner: QueryRunner;
  readonly ended: Promise<void>;
  readonly release: () => void;
}

/** After this time it is looked whether the statement that is waited for was sent at all. */
const TURN_WAIT_MS = 250;
/** How long COMMIT waits to learn what statements sent before it have touched. */
const OTHERS_WAIT_MS = 2_000;

export class ConnectionSession {
  readonly log = new TransactionLog();
  /** The open transaction has changed the schema. */
  hasChangedSchema = false;
  /** The catalogue under which the open transaction's first write was understood. */
  understoodBy: Catalogue | undefined;
  #running: RunningStatement[] = [];
  #turn: Turn | undefined;
  #isStatusOld = false;
  #refreshing: Promise<unknown> | undefined;
  #somethingChanged: () => void = () => undefined;

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
    if (this.#isStatusOld) {
      this.#isStatusOld = false;
      this.#refreshing = this.client.query('').finally(() => (this.#refreshing = undefined));
    }
    await this.#refreshing;
  }

  /** The transaction has ended, either way. */
  endTransaction(): void {
    this.log.clear();
    this.understoodBy = undefined;
    this.hasChangedSchema = false;
  }

  /** A statement has been sent by the query runner that has the connection now. */
  arrive(runner: QueryRunner, sql: string, parameters: unknown): RunningStatement {
    // What an earlier user sent and got no answer for was never carried out.
    this.#running = this.#running.filter((earlier) => earlier.runner === runner);
    const statement: RunningStatement = {
      runner,
      sql,
      parameters,
      analysis: undefined,
      catalogue: undefined,
      isWaiting: true,
      wasInTransaction: false,
      probed: undefined,
      announcement: undefined,
      endOwnTransaction: undefined,
    };
    this.#running.push(statement);
    return statement;
  }

  /** The statement with that text and parameters; the earliest when it was sent more than once. */
  find(sql: string, parameters: unknown): RunningStatement | undefined {
    return this.#running.find(
      (statement) => statement.sql === sql && statement.parameters === parameters,
    );
  }

  leave(statement: RunningStatement): void {
    const index = this.#running.indexOf(statement);
    if (index !== -1) this.#running.splice(index, 1);
    this.#somethingChanged();
  }

  /** Something is known of a statement that was not before. */
  changed(): void {
    this.#somethingChanged();
  }

  /**
   * Waits until what other statements have touched is known: someone may have sent them without
   * waiting for them. Answers `false` when that takes too long.
   */
  async othersAreKnown(own: RunningStatement): Promise<boolean> {
    const endMs = performance.now() + OTHERS_WAIT_MS;
    const mayTouch = (other: RunningStatement): boolean =>
      other !== own && !other.isWaiting && other.analysis?.kind !== 'transaction';
    while (this.#running.some(mayTouch)) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return false;
      const change = new Promise<void>((resolve) => (this.#somethingChanged = resolve));
      await Promise.race([change, pause(leftMs, undefined, { ref: false })]);
    }
    return true;
  }

  /** Takes the connection for a statement with a transaction of its own. */
  async acquire(runner: QueryRunner): Promise<() => void> {
    while (this.#turn) await this.#turn.ended;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const turn: Turn = {
      runner,
      ended,
      release: () => {
        if (this.#turn === turn) this.#turn = undefined;
        end();
      },
    };
    this.#turn = turn;
    return turn.release;
  }

  /**
   * Waits while a statement with a transaction of its own is under way. One that was not even sent
   * is held up by a subscriber of its `beforeQuery`, who may be waiting for the present statement:
   * that is let through.
   */
  async available(runner: QueryRunner): Promise<void> {
    for (let turn = this.#turn; turn; turn = this.#turn) {
      if (turn.runner !== runner) await this.#rollBackOrphan(turn);
      else if (await this.#isUnsent(turn)) return;
    }
  }

  /** The server answers in order: an empty query comes back after a statement sent before it. */
  async #isUnsent(turn: Turn): Promise<boolean> {
    const ends = (): Promise<boolean> =>
      Promise.race([turn.ended.then(() => true), pause(TURN_WAIT_MS, false, { ref: false })]);
    if (await ends()) return false;
    await this.client.query('');
    return !(await ends());
  }

  /**
   * The connection has another user, but its last one's statement never got an answer: another
   * subscriber has thrown before the statement was sent. Its transaction is open and empty.
   */
  async #rollBackOrphan(turn: Turn): Promise<void> {
    await this.client.query('ROLLBACK');
    this.endTransaction();
    turn.release();
  }
}
