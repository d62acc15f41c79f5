/**
 * Queues the statements of one connection in the order of their arrival. Their locks, marks and transactions keep that
 * order, so each statement waits until the earlier ones are done.
 *
 * Another subscriber of `beforeQuery` may refuse a statement, or hold it up until a later statement of that subscriber
 * is done. So a ready statement that was not sent is set aside, and the others proceed.
 */
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import type { StatementContext, StatementState } from './statement-context.js';

/** Time for an answer to pass from node-postgres through TypeORM. */
const ANSWER_TRAVELS_MS = 20;

export class StatementQueue {
  /** The statements that are not done, in order of arrival. */
  #statements: readonly StatementContext[] = [];
  /** Emits `left` whenever a statement leaves the queue. */
  readonly #departures = new EventEmitter().setMaxListeners(0);

  constructor(private readonly client: PostgresClient) {}

  /** Resolves when all earlier statements are done or set aside. */
  async join(statement: StatementContext): Promise<void> {
    this.#statements = [...this.#statements, statement];
    while (this.#line[0] !== statement) await once(this.#departures, 'left');
  }

  /**
   * The statement that was answered now: the earliest one with this text and these parameters. A statement that was set
   * aside is taken only if there is no other.
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

  /** Later statements stop waiting for it. It may be sent at any time, or never. */
  setAside(statement: StatementContext): void {
    statement.phase = 'aside';
    this.#departures.emit('left');
  }

  /** The statement at the server, unless another subscriber holds it up. */
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

  /** Whether a statement may be at the server, other than one that ends a transaction. */
  get isUnderWay(): boolean {
    return [this.current, ...this.setAsideOnes].some(
      (statement) => statement && statement.analysis?.kind !== 'transaction',
    );
  }

  /**
   * Whether a ready statement was not sent. An empty query shows this: its answer comes after those of all statements
   * that the driver received before it.
   */
  async isUnsent(statement: StatementContext): Promise<boolean> {
    // Without another subscriber that holds it up, it is sent in this turn of the event loop.
    await nextTurn();
    await this.client.query('');
    await pause(ANSWER_TRAVELS_MS);
    return statement.phase === 'ready';
  }

  get #line(): readonly StatementContext[] {
    return this.#statements.filter(({ phase }) => phase !== 'aside');
  }
}
