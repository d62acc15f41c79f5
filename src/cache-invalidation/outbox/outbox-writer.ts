/**
 * What the service itself says to the outbox, and to the triggers that fill it.
 *
 * A write that cannot be announced puts a row into the outbox, in its own transaction: it is committed
 * with the rows themselves, and told as soon as an instance reaches the version store. It says that
 * anything may have changed: without the store nobody can tell whether the statements were understood
 * under the present schema.
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
    private readonly objects: OutboxObjects,
    /** Whether there is an outbox, as far as this process knows. */
    private readonly isInstalled: () => boolean,
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
   * In the open transaction. Never rejects: without an outbox the write goes on as it is.
   *
   * @param isSure triggers have spoken, so there is an outbox
   */
  record(client: PostgresClient, isSure: boolean): Promise<void> {
    return this.#put(client, isSure, missedStatements(this.objects));
  }

  /** The same before PREPARE TRANSACTION, after which nobody can be notified. */
  recordPrepared(client: PostgresClient, isSure: boolean): Promise<void> {
    return this.#put(client, isSure, missedStatements(this.objects).slice(0, 1));
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

  async #put(
    client: PostgresClient,
    isSure: boolean,
    statements: readonly string[],
  ): Promise<void> {
    if (!isSure && !this.isInstalled()) return;
    try {
      await client.query(`SAVEPOINT ${SAVEPOINT}`);
      for (const sql of statements) await client.query(sql);
      await client.query(`RELEASE ${SAVEPOINT}`);
    } catch (error) {
      this.onFailure(error as Error);
      await client.query(UNDO).catch(() => undefined);
    }
  }

  async #setNamespace(client: PostgresClient, namespace: string): Promise<void> {
    await client.query('SELECT pg_catalog.set_config($1, $2, false)', [
      ANNOUNCING_SETTING,
      namespace,
    ]);
  }
}
