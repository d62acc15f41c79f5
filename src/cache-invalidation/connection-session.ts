/** What this process knows of one PostgreSQL connection: its statements and its open transaction. */
import {
  closeConnection,
  ENCLOSED_STATEMENT_LOCK,
  parseSessionNames,
  SESSION_NAMES,
  type Catalogue,
  type DatabaseSchema,
  type SessionNames,
} from '../query-cache/index.js';
import { sqlStateOf } from '../query-cache/core/sql-state.js';
import { TransactionLog } from './core/transaction-log.js';
import type { OutboxWriter } from './outbox/outbox-writer.js';
import { NoticedWrites } from './outbox/trigger-notice.js';
import { canOpen, openWith } from './opening-query.js';
import type { PostgresClient, StatementAnswer } from './postgres-client.js';
import { StatementTurns } from './statement-turns.js';

const UNLOCK = {
  text: 'SELECT pg_advisory_unlock_shared($1, $2)',
  values: ENCLOSED_STATEMENT_LOCK,
};
/** The longest that a timer can run. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class ConnectionSession {
  readonly log = new TransactionLog();
  /** What the triggers say of the open transaction. */
  readonly noticed = new NoticedWrites();
  readonly turns: StatementTurns;
  /** Under way: the connection is told that its statements are announced. */
  introduced: Promise<void> | undefined;
  /** A statement that may commit by itself is under way, and announced as a write to anything. */
  isEnclosing = false;
  /** The open transaction, if there is one, was given to a single statement (own-transaction.ts). */
  isInOwnTransaction = false;
  /** The open transaction has changed the schema. */
  hasChangedSchema = false;
  /** The catalogue under which the open transaction's first write was understood. */
  understoodBy: Catalogue | undefined;
  #names: SessionNames | undefined;
  /** The catalogue for which the names were asked; `undefined`: they may have changed since. */
  #namesAskedFor: Catalogue | undefined;
  /** Something has changed the names, and the end of a transaction may change them back. */
  #namesVary = false;
  #isStatusOld = false;
  #isOpening = false;
  #refusesOpening = false;
  #owesUnlock = false;

  /** @param opening the statements that open a transaction for a single statement. */
  constructor(
    readonly client: PostgresClient,
    private readonly opening: readonly string[],
  ) {
    this.turns = new StatementTurns(client);
  }

  get isInTransaction(): boolean {
    if (this.#isOpening) return true;
    const status = this.client.getTransactionStatus();
    return status === 'T' || status === 'E';
  }

  /** Whether a statement over this connection can open its transaction. */
  get canOpen(): boolean {
    return !this.#refusesOpening && canOpen(this.client);
  }

  /** A statement went past what was to open its transaction: from now on that is opened beforehand. */
  openBeforehand(): void {
    this.#refusesOpening = true;
  }

  /** Opens a transaction for a single statement. */
  async open(): Promise<void> {
    await this.client.query(this.opening.join('; '));
  }

  /**
   * Opens a transaction with a statement, in one round trip. What the server tells before it has answered
   * is of that transaction already.
   */
  async openWith(sql: string, values: readonly unknown[]): Promise<StatementAnswer> {
    this.#isOpening = true;
    try {
      return await openWith(this.client, this.opening, sql, values);
    } finally {
      this.#isOpening = false;
    }
  }

  /** The state of the connection is not known. */
  close(): void {
    closeConnection(this.client);
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

  /** Takes the lock by which a statement that commits by itself is recognised as a writer. */
  async lock(): Promise<void> {
    if (this.client.getTransactionStatus() === 'E') return;
    const scope = this.isInTransaction ? 'xact_' : '';
    try {
      await this.client.query(
        `SELECT pg_advisory_${scope}lock_shared($1, $2)`,
        ENCLOSED_STATEMENT_LOCK,
      );
    } catch (error) {
      // It may still get the lock, and would keep it.
      if (!this.isInTransaction && sqlStateOf(error) === undefined) this.close();
      throw error;
    }
    this.#owesUnlock = !this.isInTransaction;
  }

  /**
   * Gives the lock back, as soon as the server lets it: not in a failed transaction. Never rejects:
   * where the connection is gone, the lock is gone with it.
   */
  async unlock(): Promise<void> {
    if (!this.#owesUnlock) return;
    try {
      await this.refreshStatus();
      if (this.client.getTransactionStatus() === 'E') return;
      this.#owesUnlock = false;
      await this.client.query(UNLOCK);
    } catch (error) {
      // It would stay with the connection.
      if (sqlStateOf(error) === undefined) this.close();
    }
  }

  /** Gives the lock back once the server has done with what was sent before, however long that takes. */
  unlockAfterwards(): void {
    if (!this.#owesUnlock) return;
    this.#owesUnlock = false;
    const unlock = { ...UNLOCK, query_timeout: LONGEST_TIMEOUT_MS };
    const sent = this.client.query(unlock) as Promise<unknown>;
    sent.catch(() => (this.#owesUnlock = true));
  }

  /** Tells the triggers that the statements of this connection are announced. Where that fails they will fail too. */
  introduce(outbox: OutboxWriter): void {
    this.introduced = outbox.introduce(this.client).catch(() => undefined);
  }

  /** The open transaction has changed the schema, or must be taken to have done so. */
  changeSchema(schema: DatabaseSchema): void {
    this.hasChangedSchema = true;
    schema.markOutdated();
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
    this.#names = names.isStandard && isUsual(names.searchPath) ? undefined : names;
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
    this.noticed.clear();
    this.understoodBy = undefined;
    this.hasChangedSchema = false;
    this.isInOwnTransaction = false;
  }
}
