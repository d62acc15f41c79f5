/** The state of each PostgreSQL connection: its statements and its open transaction. */
import type { QueryRunner } from 'typeorm';
import { closeConnection } from '../database/transaction-end.js';
import { AUTONOMOUS_STATEMENT_LOCK } from '../database/postgres-writer-activity.js';
import {
  parseSessionNames,
  SESSION_NAMES,
  type SessionNames,
} from '../../postgres/catalog/session-names.js';
import type { Catalog } from '../../core/table-facts.js';
import { sqlStateOf } from '../../postgres/sql-state.js';
import { TransactionLog } from '../../core/write-set.js';
import type { OutboxWriter } from '../../postgres/capture/outbox-writer.js';
import type { TriggerKeeper } from '../triggers/trigger-keeper.js';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import type { StatementContext } from './statement-context.js';
import { StatementQueue } from './statement-queue.js';
import type { WriteParts } from './write-parts.js';

/** The parts that all sessions use. */
export interface SessionParts extends WriteParts {
  readonly outbox: OutboxWriter;
  readonly triggers: TriggerKeeper;
  /** Names the work that runs now. */
  readonly origins: { readonly current: string | undefined };
}

export class ConnectionSession {
  readonly log = new TransactionLog();
  readonly queue: StatementQueue;
  /** Whether held-up statements are being checked for (autonomous-statement.ts). */
  isLookedAfter = false;
  isGone = false;
  /** Pending while the session enables the notices of the triggers by its setting. */
  introduced: Promise<unknown> | undefined;
  /** The open transaction has changed the schema. */
  hasChangedSchema = false;
  /** The catalog under which the open transaction's first write was analysed. */
  understoodBy: Catalog | undefined;
  #names: SessionNames | undefined;
  /** The catalog for which the names were queried; `undefined`: they may have changed since. */
  #namesAskedFor: Catalog | undefined;
  /** A statement has changed the names, and the end of a transaction may restore them. */
  #namesVary = false;
  #isStatusOld = false;
  #isUnlockPending = false;

  constructor(
    readonly client: PostgresClient,
    readonly parts: SessionParts,
  ) {
    this.queue = new StatementQueue(client);
  }

  get backendPid(): number {
    return this.client.processID ?? 0;
  }

  get isInTransaction(): boolean {
    const status = this.client.getTransactionStatus();
    return status === 'T' || status === 'E';
  }

  /** Whether the server refuses every statement until the transaction is rolled back. */
  get hasFailed(): boolean {
    return this.client.getTransactionStatus() === 'E';
  }

  /** Whether an autonomous statement is running, which is published as a write to all tables. */
  get isAutonomous(): boolean {
    return this.queue.hasOneIn('autonomous');
  }

  /** Closes a connection in an unknown state. */
  close(): void {
    closeConnection(this.client);
  }

  /** After a failed statement: node-postgres reports the failure before it receives the new status. */
  expectNewStatus(): void {
    this.#isStatusOld = true;
  }

  /** Updates the transaction status: the answer to an empty query contains it. */
  async refreshStatus(): Promise<void> {
    if (!this.#isStatusOld) return;
    await this.client.query('');
    this.#isStatusOld = false;
  }

  /** Takes the lock that identifies an autonomous statement as a writer. */
  async lock(): Promise<void> {
    if (this.#isUnlockPending || this.hasFailed) return;
    try {
      await this.client.query('SELECT pg_advisory_lock_shared($1, $2)', AUTONOMOUS_STATEMENT_LOCK);
    } catch (error) {
      // The session may still get the lock, and would keep it.
      if (sqlStateOf(error) === undefined) this.close();
      throw error;
    }
    this.#isUnlockPending = true;
  }

  /** Releases the lock once no autonomous statement is running. In a failed transaction, the next statement does it. */
  unlock(): void {
    if (!this.#isUnlockPending || this.isAutonomous || this.hasFailed) return;
    this.#isUnlockPending = false;
    this.client
      .query('SELECT pg_advisory_unlock_shared($1, $2)', AUTONOMOUS_STATEMENT_LOCK)
      .catch((error: unknown) => {
        // Without an answer the server may still release it, and the next statement would run without the lock.
        if (sqlStateOf(error) === undefined) this.close();
        else this.#isUnlockPending = true;
      });
  }

  /** Makes the setting that enables notices of the triggers. If that fails, the next statement fails too. */
  introduce(): void {
    // A native client does not emit notices: its writes are recorded as those of writers outside the service.
    if (!this.client.connection) return;
    this.introduced = this.parts.outbox.introduce(this.client).catch(() => undefined);
  }

  /** The open transaction has changed the schema, or may have. */
  changeSchema(): void {
    this.hasChangedSchema = true;
    this.parts.schema.markOutdated();
  }

  /** Whether events of writes have to name their cause. */
  get isObserved(): boolean {
    return this.parts.events.listenerCount('invalidated') > 0;
  }

  /** The statement has written, or may have: it is a cause of the open transaction. */
  name(statement: StatementContext): void {
    if (this.isObserved) this.log.name(statement.nameable, statement.origin);
  }

  /** The names may resolve differently from here on. */
  forgetNames(): void {
    this.#namesVary = true;
    this.#namesAskedFor = undefined;
  }

  /**
   * The names over this connection if they differ from those over a new connection. Queries the server if they are
   * unknown, except in a failed transaction.
   */
  async namesUnder(catalog: Catalog): Promise<SessionNames | undefined> {
    if (this.#namesAskedFor === catalog) return this.#names;
    await this.refreshStatus();
    if (this.hasFailed) return this.#names;
    const names = parseSessionNames((await this.client.query(SESSION_NAMES)).rows);
    const isUsual = names.isStandard && this.parts.schema.isUsualPath(names.searchPath);
    this.#names = isUsual ? undefined : names;
    this.#namesAskedFor = catalog;
    if (isUsual && !this.isInTransaction) this.#namesVary = false;
    return this.#names;
  }

  /** A transaction or a part of it has ended: its local settings of names are undone. */
  restoreNames(): void {
    if (this.#namesVary || this.#names) this.#namesAskedFor = undefined;
  }

  /** The transaction was committed or rolled back. */
  endTransaction(): void {
    this.restoreNames();
    this.log.clear();
    this.understoodBy = undefined;
    this.hasChangedSchema = false;
  }
}

/** The sessions of all connections over which the data source has sent a statement. */
export class ConnectionSessions {
  readonly #byClient = new WeakMap<object, ConnectionSession>();
  /** The sessions whose connection is open. */
  readonly #living = new Set<ConnectionSession>();

  /** @param meet is called once for each session, before its first statement. */
  constructor(
    private readonly parts: SessionParts,
    private readonly meet: (session: ConnectionSession) => void,
  ) {}

  /**
   * Whether the application has a transaction open over any connection, implicit transactions excepted. Reads the
   * status of the connections themselves, so that no end of a transaction is missed.
   */
  get hasTransaction(): boolean {
    for (const session of this.#living) {
      if (session.isInTransaction && !session.queue.hasOneIn('implicit-transaction')) return true;
    }
    return false;
  }

  async of(queryRunner: QueryRunner): Promise<ConnectionSession> {
    const client = (await queryRunner.connect()) as PostgresClient;
    const known = this.#byClient.get(client);
    if (known) return known;
    const session = new ConnectionSession(client, this.parts);
    // Its earlier statements were not intercepted.
    if (session.isInTransaction) session.log.addForGood('all-tables');
    this.#byClient.set(client, session);
    this.#living.add(session);
    client.on('end', () => {
      session.isGone = true;
      this.#living.delete(session);
    });
    this.meet(session);
    return session;
  }
}
