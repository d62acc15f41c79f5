/**
 * The statements by which the service itself writes to the outbox, and to the setting of the triggers that fill it.
 *
 * A write that cannot be published puts a row into the outbox, in its own transaction: the row is committed with the
 * write, and told as soon as an instance reaches the version store. The row says that anything may have changed: without
 * the store it is not known whether the statements were understood under the present schema. A write that cannot put the
 * row there is refused (core/write-protocol.ts).
 */
import type { PostgresClient } from '../postgres-client.js';
import type { CaptureParts } from './capture-parts.js';
import { missedStatements } from './capture-sql.js';
import { ANNOUNCING_SETTING } from './outbox-objects.js';

const SAVEPOINT = 'tidemark_outbox';

export class OutboxWriter {
  #warnedOf: string | undefined;

  constructor(private readonly parts: Pick<CaptureParts, 'objects' | 'log'>) {}

  /** From here on the triggers send notices to this connection: it publishes its statements itself. */
  introduce(client: PostgresClient): Promise<unknown> {
    return setNamespace(client, this.parts.objects.namespace);
  }

  /** From here on the triggers record statements of this connection like a stranger's. */
  hide(client: PostgresClient): Promise<unknown> {
    return setNamespace(client, '');
  }

  /**
   * Puts the row there, in the open transaction or by itself where none is open. Rejects without an outbox that the
   * role may write; the transaction is then as it was.
   */
  async record(client: PostgresClient): Promise<void> {
    const status = client.getTransactionStatus();
    // A transaction that has failed commits nothing.
    if (status === 'E') return;
    const isInTransaction = status === 'T';
    try {
      if (isInTransaction) await client.query(`SAVEPOINT ${SAVEPOINT}`);
      for (const sql of missedStatements(this.parts.objects)) await client.query(sql);
      if (isInTransaction) await client.query(`RELEASE ${SAVEPOINT}`);
    } catch (error) {
      const undo = `ROLLBACK TO ${SAVEPOINT}; RELEASE ${SAVEPOINT}`;
      if (isInTransaction) await client.query(undo).catch(() => undefined);
      const { message } = error as Error;
      const { log } = this.parts;
      if (message !== this.#warnedOf) log.warn(`The outbox could not be written: ${message}`);
      this.#warnedOf = message;
      throw error;
    }
  }
}

function setNamespace(client: PostgresClient, namespace: string): Promise<unknown> {
  const values = [ANNOUNCING_SETTING, namespace];
  return client.query('SELECT pg_catalog.set_config($1, $2, false)', values);
}
