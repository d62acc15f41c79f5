/**
 * Puts what a transaction of the service has touched into the outbox, where it could not be announced:
 * it is committed with the rows themselves, and told as soon as an instance reaches the version store.
 */
import type { TouchedTable } from '../../query-cache/core/touched-regions.js';
import type { Touched } from '../core/transaction-log.js';
import type { PostgresClient } from '../postgres-client.js';
import { EVERY_TABLE } from './capture-sql.js';
import { ANNOUNCING_SETTING, type OutboxObjects } from './outbox-objects.js';

const SAVEPOINT = 'tidemark_outbox';

export class OutboxWriter {
  constructor(
    private readonly objects: OutboxObjects,
    /** Whether there is an outbox, as far as this process knows. */
    private readonly isInstalled: () => boolean,
  ) {}

  /** Tells the triggers that this connection announces its statements itself. */
  async introduce(client: PostgresClient): Promise<void> {
    await client.query('SELECT pg_catalog.set_config($1, $2, false)', [
      ANNOUNCING_SETTING,
      this.objects.namespace,
    ]);
  }

  /** In the open transaction. Never rejects: without an outbox the write goes on as it is. */
  async record(client: PostgresClient, touched: Touched): Promise<boolean> {
    if (!this.isInstalled()) return false;
    const rows = touched === 'anything' ? [EVERY_ROW] : [...touched.values()].map(rowOf);
    try {
      await client.query(`SAVEPOINT ${SAVEPOINT}`);
      for (const { table, regions } of rows) await this.#insert(client, table, regions);
      await client.query(`RELEASE ${SAVEPOINT}`);
      return true;
    } catch {
      await client.query(`ROLLBACK TO ${SAVEPOINT}`).catch(() => undefined);
      return false;
    }
  }

  async #insert(client: PostgresClient, table: string, regions: string | null): Promise<void> {
    await client.query(
      `INSERT INTO ${this.objects.table} (table_name, regions) VALUES ($1, $2::jsonb)`,
      [table, regions],
    );
    await client.query('SELECT pg_catalog.pg_notify($1, $2)', [this.objects.channel, '']);
  }
}

interface Row {
  readonly table: string;
  readonly regions: string | null;
}

const EVERY_ROW: Row = { table: EVERY_TABLE, regions: null };

/** Values of a dimension of several columns are lists already (core/canonical-value.ts). */
function rowOf({ table, dimensions }: TouchedTable): Row {
  const regions = [...dimensions].map(([dimension, values]) => {
    const isList = dimension.includes(',');
    const known =
      values === 'unknown'
        ? null
        : [...values].map((value) => (isList ? (JSON.parse(value) as unknown) : [value]));
    return [dimension, known] as const;
  });
  return { table, regions: JSON.stringify(Object.fromEntries(regions)) };
}
