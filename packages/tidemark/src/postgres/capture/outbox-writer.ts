/**
 * The statements with which the service itself writes to the outbox and sets the session setting that the capture
 * triggers read.
 *
 * A write that cannot be published inserts a row into the outbox, in its own transaction: the row commits with the
 * write, and is published as soon as an instance reaches the version store. The row stands for a change of any table
 * and of the schema: without the store it is unknown whether the statements were classified under the current schema. If
 * only some buckets of the store cannot be reached, it inserts such a row for each of them. A write that cannot insert
 * the rows is refused (core/write-protocol.ts).
 */
import type { PostgresClient } from '../postgres-client.js';
import type { CaptureParts } from './capture-parts.js';
import { schemaIn } from '../../core/schema-version.js';
import { missedStatements } from './capture-sql.js';
import { EVERY_TABLE, PUBLISHING_SETTING } from './outbox-objects.js';

const SAVEPOINT = 'tidemark_outbox';

export class OutboxWriter {
  #warnedOf: string | undefined;

  constructor(private readonly parts: Pick<CaptureParts, 'store' | 'objects' | 'log'>) {}

  /** From now on the triggers send notices to this connection: it publishes its statements itself. */
  introduce(client: PostgresClient): Promise<unknown> {
    return setNamespace(client, this.parts.objects.namespace);
  }

  /** From now on the triggers record this connection's statements like those of an outside client. */
  hide(client: PostgresClient): Promise<unknown> {
    return setNamespace(client, '');
  }

  /**
   * Inserts the rows, in the open transaction or, without one, in an implicit transaction. Rejects without an outbox
   * that the role may write, and leaves the transaction unchanged.
   *
   * @param buckets those that could not be reached
   */
  async record(client: PostgresClient, buckets: readonly number[]): Promise<void> {
    const { store, objects } = this.parts;
    const tables = buckets.length < store.buckets ? buckets.map(schemaIn) : [EVERY_TABLE];
    const status = client.getTransactionStatus();
    // A failed transaction commits nothing.
    if (status === 'E') return;
    const isInTransaction = status === 'T';
    try {
      if (isInTransaction) await client.query(`SAVEPOINT ${SAVEPOINT}`);
      for (const sql of missedStatements(objects, tables)) await client.query(sql);
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
  const values = [PUBLISHING_SETTING, namespace];
  return client.query('SELECT pg_catalog.set_config($1, $2, false)', values);
}
