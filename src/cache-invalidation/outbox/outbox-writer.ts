/**
 * What the service itself says to the outbox, and to the triggers that fill it.
 *
 * A write that cannot be announced puts a row into the outbox, in its own transaction: it is committed
 * with the rows themselves, and told as soon as an instance reaches the version store. It says that
 * anything may have changed: without the store nobody can tell whether the statements were understood
 * under the present schema. A write that cannot put the row there is refused (core/write-protocol.ts).
 */
import pg from 'pg';
import type { PostgresClient } from '../postgres-client.js';
import { EVERY_TABLE, missedStatements } from './capture-sql.js';
import { ANNOUNCING_SETTING, type OutboxObjects } from './outbox-objects.js';
import { parseNotice, type PostgresNotice, type TriggerNotice } from './trigger-notice.js';

const SAVEPOINT = 'tidemark_outbox';

const UNDO = `ROLLBACK TO ${SAVEPOINT}; RELEASE ${SAVEPOINT}`;

/** Statements to be sent around a question, with it. */
export interface Withdrawal {
  readonly before: string;
  readonly after: string;
  /** After it has failed: the rows stay, and are told once more. */
  readonly undo: (client: PostgresClient, error: Error) => Promise<void>;
}

export class OutboxWriter {
  constructor(
    readonly objects: OutboxObjects,
    /** Called for each failure; the write is then refused, unless nothing depends on the outbox. */
    private readonly onFailure: (error: Error) => void,
  ) {}

  /** Tells the triggers that this connection announces its statements itself. */
  introduce(client: PostgresClient): Promise<void> {
    return this.#setNamespace(client, this.objects.namespace);
  }

  /** Lets the triggers record what is sent over this connection, as if it were a stranger's. */
  hide(client: PostgresClient): Promise<void> {
    return this.#setNamespace(client, '');
  }

  parseNotice(notice: PostgresNotice): TriggerNotice | undefined {
    return parseNotice(notice, this.objects.namespace);
  }

  /**
   * In the open transaction, or by itself where none is open. Rejects without an outbox that the role may
   * write; the transaction is then as it was.
   */
  record(client: PostgresClient): Promise<void> {
    return this.#put(client, missedStatements(this.objects));
  }

  /** The same before PREPARE TRANSACTION, after which nobody can be notified. */
  recordPrepared(client: PostgresClient): Promise<void> {
    return this.#put(client, missedStatements(this.objects).slice(0, 1));
  }

  /** What triggers have put into the outbox in the open transaction, from a row on, is taken out. */
  withdrawal(from: bigint): Withdrawal {
    return {
      before: `SAVEPOINT ${SAVEPOINT};
DELETE FROM ${this.objects.table} WHERE id >= ${from} AND table_name <> ${pg.escapeLiteral(EVERY_TABLE)}
  AND transaction_id = pg_catalog.pg_current_xact_id()`,
      after: `RELEASE ${SAVEPOINT}`,
      undo: async (client, error) => {
        await client.query(UNDO);
        this.onFailure(error);
      },
    };
  }

  async #put(client: PostgresClient, statements: readonly string[]): Promise<void> {
    const status = client.getTransactionStatus();
    // A transaction that has failed commits nothing.
    if (status === 'E') return;
    const isInTransaction = status === 'T';
    try {
      if (isInTransaction) await client.query(`SAVEPOINT ${SAVEPOINT}`);
      for (const sql of statements) await client.query(sql);
      if (isInTransaction) await client.query(`RELEASE ${SAVEPOINT}`);
    } catch (error) {
      if (isInTransaction) await client.query(UNDO).catch(() => undefined);
      this.onFailure(error as Error);
      throw error;
    }
  }

  async #setNamespace(client: PostgresClient, namespace: string): Promise<void> {
    await client.query('SELECT pg_catalog.set_config($1, $2, false)', [
      ANNOUNCING_SETTING,
      namespace,
    ]);
  }
}
