/** What this process knows of each PostgreSQL connection: its statements and its open transaction. */
import type { QueryRunner } from 'typeorm';
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
import type { PostgresClient } from './postgres-client.js';
import { StatementQueue } from './statement-queue.js';

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
  readonly queue: StatementQueue;
  /** Under way: the connection is told that its statements are announced. */
  introduced: Promise<void> | undefined;
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
  #owesUnlock = false;

  constructor(readonly client: PostgresClient) {
    this.queue = new StatementQueue(client);
  }

  get isInTransaction(): boolean {
    const status = this.client.getTransactionStatus();
    return status === 'T' || status === 'E';
  }

  /** Whether the open transaction is the application's, and not given to a single statement. */
  get isInApplicationTransaction(): boolean {
    return this.isInTransaction && !this.queue.hasOneIn('implicit-transaction');
  }

  /** Whether a statement that may commit by itself is under way, and published as a write to anything. */
  get isEnclosing(): boolean {
    return this.queue.hasOneIn('autonomous');
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
    if (this.#owesUnlock || this.client.getTransactionStatus() === 'E') return;
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
   * Gives the lock back once no such statement is under way, and as soon as the server lets it: not in a failed
   * transaction. Never rejects: where the connection is gone, the lock is gone with it.
   */
  async unlock(): Promise<void> {
    if (!this.#owesUnlock || this.isEnclosing) return;
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
    if (!this.#owesUnlock || this.isEnclosing) return;
    this.#owesUnlock = false;
    const unlock = { ...UNLOCK, query_timeout: LONGEST_TIMEOUT_MS };
    const sent = this.client.query(unlock) as Promise<unknown>;
    sent.catch(() => (this.#owesUnlock = true));
  }

  /** Tells the triggers that the statements of this connection are announced. Where that fails they will fail too. */
  introduce(outbox: OutboxWriter): void {
    // Who hears no notices stays a stranger to the triggers.
    if (!this.client.connection) return;
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
  }
}

/** The sessions of all connections over which the data source has sent a statement. */
export class ConnectionSessions {
  readonly #byClient = new WeakMap<object, ConnectionSession>();
  /** Those whose connection has not ended. */
  readonly #living = new Set<ConnectionSession>();

  /** @param meet is called once for each session, before its first statement. */
  constructor(private readonly meet: (session: ConnectionSession) => void) {}

  /**
   * Whether the application has a transaction open over any connection. It is read off the connections
   * themselves, so that no end of a transaction can be missed.
   */
  get hasTransaction(): boolean {
    for (const session of this.#living) {
      if (session.isInApplicationTransaction) return true;
    }
    return false;
  }

  async of(queryRunner: QueryRunner): Promise<ConnectionSession> {
    const client = (await queryRunner.connect()) as PostgresClient;
    let session = this.#byClient.get(client);
    if (!session) {
      const added = new ConnectionSession(client);
      session = added;
      // Its earlier statements were not followed.
      if (added.isInTransaction) added.log.addForGood('anything');
      this.#byClient.set(client, added);
      this.#living.add(added);
      client.on('end', () => this.#living.delete(added));
      this.meet(added);
    }
    return session;
  }
}
