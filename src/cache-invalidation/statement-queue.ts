/**
 * The statements of one connection, in the order of their arrival. What is done around them (locks, marks,
 * transactions) keeps to that order, so each waits until the earlier ones are done.
 *
 * Another subscriber of `beforeQuery` may refuse a statement, or hold it up until a later one is done that it
 * sends itself. So a statement that is ready and was not sent is set aside: nobody waits for it any more. An
 * empty query tells whether it was sent, since it comes back after whatever the driver was given before it.
 */
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { PostgresClient } from './postgres-client.js';
import type { StatementContext, StatementState } from './statement-context.js';

/** After this time a waiting statement asks whether the one before it was sent at all. */
const ASK_AFTER_MS = 250;
/** Time for an answer to travel from node-postgres through TypeORM. */
const ANSWER_TRAVELS_MS = 20;

export class StatementQueue {
  /** Those that are not done, first come first. */
  readonly #line: StatementContext[] = [];
  /** Those that are ready and have no answer, with those that were set aside. */
  readonly #ready: StatementContext[] = [];
  /** Emits `done` whenever a statement leaves. */
  readonly #departures = new EventEmitter().setMaxListeners(0);

  constructor(private readonly client: PostgresClient) {}

  join(statement: StatementContext): void {
    this.#line.push(statement);
  }

  /** @param setAside takes back what was done for a statement that was not sent, and calls {@link setAside}. */
  async waitForTurn(
    statement: StatementContext,
    setAside: (unsent: StatementContext) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      const before = this.#line[this.#line.indexOf(statement) - 1];
      if (!before) return;
      const signal = AbortSignal.timeout(ASK_AFTER_MS);
      const departure = once(this.#departures, 'done', { signal });
      if (
        !(await departure.then(
          () => false,
          () => true,
        ))
      )
        continue;
      if (this.#ready.includes(before) && (await this.#isUnsent(before))) await setAside(before);
    }
  }

  /** All is done for it: it goes to the driver, unless another subscriber refuses it or holds it up. */
  send(statement: StatementContext): void {
    this.#ready.push(statement);
  }

  /**
   * The statement that has been answered now: the earliest with that text and those parameters, and one
   * that was set aside only where there is no other.
   */
  take(sql: string, parameters: unknown): StatementContext | undefined {
    const candidates = this.#ready.filter(
      (statement) => statement.sql === sql && statement.parameters === parameters,
    );
    const taken = candidates.find((statement) => this.#line.includes(statement)) ?? candidates[0];
    remove(this.#ready, taken);
    return taken;
  }

  done(statement: StatementContext): void {
    remove(this.#line, statement);
    remove(this.#ready, statement);
    this.#departures.emit('done');
  }

  /** Nobody waits for it any more. It may be sent at any time, or never. */
  setAside(statement: StatementContext): void {
    remove(this.#line, statement);
  }

  get setAsideOnes(): readonly StatementContext[] {
    return this.#ready.filter((statement) => !this.#line.includes(statement));
  }

  has(statement: StatementContext): boolean {
    return this.#line.includes(statement) || this.#ready.includes(statement);
  }

  hasOneIn(state: StatementState): boolean {
    return [...this.#line, ...this.#ready].some((statement) => statement.state === state);
  }

  /** Whether a statement may be with the server, other than one that ends a transaction. */
  get isUnderWay(): boolean {
    return this.#ready.some(({ analysis }) => analysis?.kind !== 'transaction');
  }

  /** The statement that is with the server. */
  get current(): StatementContext | undefined {
    return this.#ready.find((statement) => this.#line.includes(statement));
  }

  async #isUnsent(statement: StatementContext): Promise<boolean> {
    // It is handed over in this turn unless somebody holds it up.
    await nextTurn();
    await this.client.query('');
    await pause(ANSWER_TRAVELS_MS);
    return this.#ready.includes(statement);
  }
}

function remove<T>(list: T[], element: T | undefined): void {
  const index = element === undefined ? -1 : list.indexOf(element);
  if (index !== -1) list.splice(index, 1);
}
