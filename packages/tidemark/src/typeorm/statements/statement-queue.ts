/**
 * The statements of one connection, in the order of their arrival. Locks, marks and transactions around them keep
 * to that order, so each statement waits until the earlier ones are done.
 *
 * Another subscriber of `beforeQuery` may refuse a statement, or hold it up until a later one is done that it
 * sends itself. So a statement that is ready and was not sent is set aside, and the others go on.
 */
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import type { StatementContext, StatementState } from './statement-context.js';

/** Time for an answer to travel from node-postgres through TypeORM. */
const ANSWER_TRAVELS_MS = 20;

export class StatementQueue {
  /** Those that are not done, first come first. */
  #statements: readonly StatementContext[] = [];
  /** Emits `left` whenever a statement leaves the line. */
  readonly #departures = new EventEmitter().setMaxListeners(0);

  constructor(private readonly client: PostgresClient) {}

  /** Resolves when all earlier statements are done or set aside. */
  async join(statement: StatementContext): Promise<void> {
    this.#statements = [...this.#statements, statement];
    while (this.#line[0] !== statement) await once(this.#departures, 'left');
  }

  /**
   * The statement that has been answered now: the earliest with that text and those parameters, and one
   * that was set aside only where there is no other.
   */
  take(sql: string, parameters: unknown): StatementContext | undefined {
    const candidates = [this.current, ...this.setAsideOnes];
    const taken = candidates.find(
      (statement) => statement?.sql === sql && statement.parameters === parameters,
    );
    if (taken) taken.phase = 'answered';
    return taken;
  }

  done(statement: StatementContext): void {
    this.#statements = this.#statements.filter((other) => other !== statement);
    this.#departures.emit('left');
  }

  /** No other statement waits for it any more. It may be sent at any time, or never. */
  setAside(statement: StatementContext): void {
    statement.phase = 'aside';
    this.#departures.emit('left');
  }

  /** The statement that is with the server, unless another subscriber holds it up. */
  get current(): StatementContext | undefined {
    return this.#statements.find(({ phase }) => phase === 'ready');
  }

  get setAsideOnes(): readonly StatementContext[] {
    return this.#statements.filter(({ phase }) => phase === 'aside');
  }

  get isEmpty(): boolean {
    return this.#statements.length === 0;
  }

  hasOneIn(state: StatementState): boolean {
    return this.#statements.some((statement) => statement.state === state);
  }

  /** Whether a statement may be with the server, other than one that ends a transaction. */
  get isUnderWay(): boolean {
    return [this.current, ...this.setAsideOnes].some(
      (statement) => statement && statement.analysis?.kind !== 'transaction',
    );
  }

  /**
   * Whether a statement that is ready was not sent. An empty query shows it, since it comes back after everything the
   * driver was given before it.
   */
  async isUnsent(statement: StatementContext): Promise<boolean> {
    // It is handed over in this turn unless another subscriber holds it up.
    await nextTurn();
    await this.client.query('');
    await pause(ANSWER_TRAVELS_MS);
    return statement.phase === 'ready';
  }

  get #line(): readonly StatementContext[] {
    return this.#statements.filter(({ phase }) => phase !== 'aside');
  }
}
