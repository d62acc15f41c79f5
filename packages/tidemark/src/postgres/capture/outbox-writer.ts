/**
 * The statements with which the service itself writes to the outbox and sets the session setting that the capture
 * triggers read.
 *
 * A write that cannot be published inserts a row into the outbox, in its own transaction: the row commits with the
 * write, and is published as soon as an instance reaches the version store. The row stands for a change of any table
 * and of the schema, unless the writer has understood its statements (understood-write.ts). If only some buckets of the
 * store cannot be reached, it inserts such a row for each of them. A write that cannot insert the rows is refused
 * (core/write-protocol.ts).
 */
import type { PostgresClient } from '../postgres-client.js';
import type { CaptureParts } from './capture-parts.js';
import { schemaIn } from '../../core/schema-version.js';
import { recordStatements } from './capture-sql.js';
import { EVERY_TABLE, PUBLISHING_SETTING } from './outbox-objects.js';
import { within, type UnderstoodWrite } from './understood-write.js';

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
   * @param understand finds out over the same connection which regions the transaction has written, in all buckets
   */
  async record(
    client: PostgresClient,
    buckets: readonly number[],
    understand: () => Promise<UnderstoodWrite | undefined> = () => Promise.resolve(undefined),
  ): Promise<void> {
    const status = client.getTransactionStatus();
    // A failed transaction commits nothing.
    if (status === 'E') return;
    const isInTransaction = status === 'T';
    const { objects } = this.parts;
    try {
      if (isInTransaction) await client.query(`SAVEPOINT ${SAVEPOINT}`);
      const understood = await understand().catch(async () => {
        if (isInTransaction) await client.query(`ROLLBACK TO ${SAVEPOINT}`);
        return undefined;
      });
      const rows = this.#rows(buckets, understood);
      for (const sql of recordStatements(objects, rows)) await client.query(sql);
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

  #rows(buckets: readonly number[], understood: UnderstoodWrite | undefined) {
    const { store } = this.parts;
    if (buckets.length === store.buckets) return [{ table: EVERY_TABLE, regions: understood }];
    return buckets.map((bucket) => ({
      table: schemaIn(bucket),
      regions: understood && within(understood, (table) => store.bucketOf(table) === bucket),
    }));
  }
}

function setNamespace(client: PostgresClient, namespace: string): Promise<unknown> {
  const values = [PUBLISHING_SETTING, namespace];
  return client.query('SELECT pg_catalog.set_config($1, $2, false)', values);
}
