/**
 * The order of the statements over one connection.
 *
 * The server takes them in order anyway; what is done around them (locks, marks, transactions) must
 * keep to the same order, so a statement waits until those that arrived earlier have been dealt with.
 *
 * An earlier one that was never sent is not waited for: another subscriber of its `beforeQuery` has
 * refused it, or holds it up and may be waiting for the present one. That is told by an empty query,
 * which comes back after whatever was handed to the driver before it; it tells nothing while the
 * earlier statement is still being prepared here, and is not asked then. What was prepared for the one
 * that was not sent is undone: for a while where its query runner may still send it, else for good.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import type { PostgresClient } from './postgres-client.js';
import { RunningStatement } from './running-statement.js';

/** After this time it is looked whether the statement that is waited for was sent at all. */
const LOOK_AFTER_MS = 250;
/** Time for an answer to travel from node-postgres through TypeORM. */
const ANSWER_TRAVELS_MS = 20;

export class StatementTurns {
  /** In the order of their arrival. */
  readonly #running: RunningStatement[] = [];

  constructor(private readonly client: PostgresClient) {}

  arrive(runner: QueryRunner, sql: string, parameters: unknown): RunningStatement {
    const statement = new RunningStatement(runner, sql, parameters);
    this.#running.push(statement);
    return statement;
  }

  /**
   * The statement with that text and parameters that has been answered now: the earliest when it was
   * sent more than once, and one that had given way only where there is no other.
   */
  find(sql: string, parameters: unknown): RunningStatement | undefined {
    const candidates = this.#running.filter(
      (statement) =>
        statement.sql === sql && statement.parameters === parameters && !statement.isAnswered,
    );
    return candidates.find(({ isSuspended }) => !isSuspended) ?? candidates[0];
  }

  /** Whether a statement that is followed may be with the server, other than one that ends a transaction. */
  get isUnderWay(): boolean {
    return this.#running.some(
      ({ isReady, isAnswered, analysis }) =>
        isReady && !isAnswered && analysis?.kind !== 'transaction',
    );
  }

  /** The statement that is with the server, as far as it is followed. */
  get current(): RunningStatement | undefined {
    return this.#running.find(
      ({ isReady, isAnswered, isSuspended }) => isReady && !isAnswered && !isSuspended,
    );
  }

  leave(statement: RunningStatement): void {
    const index = this.#running.indexOf(statement);
    if (index !== -1) this.#running.splice(index, 1);
    statement.leave();
  }

  async turnOf(statement: RunningStatement): Promise<void> {
    const earlier = this.#running.slice(0, this.#running.indexOf(statement));
    for (const other of earlier) {
      if (!(await this.#isUnsent(other))) continue;
      if (other.runner === statement.runner) await this.#suspend(other);
      else await this.#abandon(other);
    }
  }

  /** Prepares the statements that have given way once more. */
  async resumeOthers(): Promise<void> {
    for (const other of [...this.#running]) {
      if (other.isSuspended && !other.runner.isReleased && (await other.preparation?.resume())) {
        other.isSuspended = false;
      }
    }
  }

  /** Undoes what was done for a statement whose query runner was released without sending it. */
  async abandonUnsent(statement: RunningStatement): Promise<void> {
    if (!this.#running.includes(statement) || !statement.runner.isReleased) return;
    try {
      if (await this.#isUnsent(statement)) await this.#abandon(statement);
    } catch {
      // The connection is gone, and with it what was done over it.
      this.leave(statement);
    }
  }

  async #suspend(statement: RunningStatement): Promise<void> {
    if (statement.isSuspended) return;
    statement.isSuspended = true;
    await statement.preparation?.giveWay();
  }

  async #abandon(statement: RunningStatement): Promise<void> {
    if (!statement.isSuspended) await statement.preparation?.abandon();
    this.leave(statement);
  }

  async #isUnsent(statement: RunningStatement): Promise<boolean> {
    const left = statement.left.then(() => true);
    const late = (ms: number): Promise<boolean> => pause(ms, false, { ref: false });
    if (!statement.isSuspended && (await Promise.race([left, late(LOOK_AFTER_MS)]))) return false;
    if (await Promise.race([left, statement.ready.then(() => false)])) return false;
    // Ready, it is handed over in this turn unless someone else holds it up.
    await nextTurn();
    await this.client.query('');
    await pause(ANSWER_TRAVELS_MS);
    if (!statement.isAnswered) return true;
    await statement.left;
    return false;
  }
}
