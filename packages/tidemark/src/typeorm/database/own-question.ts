/**
 * Queries of the cache itself to the primary, over a connection of the pool. They bypass the hooks, which would parse and
 * classify their texts: some have several kilobytes.
 */
import type { DataSource } from 'typeorm';
import type { PostgresClient, RunSql } from '../../postgres/postgres-client.js';
import { sqlStateOf } from '../../postgres/sql-state.js';
import { closeConnection, idleLimit, requireIdle, rollBack } from './transaction-end.js';

/** Often the only limit: a data source has none by default, and packets may be lost without an error. */
const ANSWER_LIMIT_MS = 10_000;

/**
 * Rejects with the server's error, or on timeout; a timeout closes the connection.
 *
 * @param limitMs longest time to wait for the answer, in milliseconds.
 */
export async function askPrimary(
  source: DataSource,
  text: string,
  values: readonly unknown[] = [],
  limitMs = ANSWER_LIMIT_MS,
): Promise<Record<string, unknown>[]> {
  return overPrimary(source, async (client) => {
    const question = { text, values: [...values], query_timeout: limitMs };
    try {
      return (await client.query<Record<string, unknown>>(question)).rows;
    } catch (error) {
      if (sqlStateOf(error) === undefined) closeConnection(client);
      throw error;
    }
  });
}

/** Runs `work` in a read-only transaction. Rejects with the server's error or that of `work`. */
export async function readPrimary<T>(
  source: DataSource,
  work: (run: RunSql) => Promise<T>,
): Promise<T> {
  return overPrimary(source, async (client) => {
    try {
      await client.query('START TRANSACTION READ ONLY');
      await client.query(idleLimit());
      const result = await work(
        async (sql, values) => (await client.query<Record<string, unknown>>(sql, values)).rows,
      );
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await rollBack(client, error, () => client.query('ROLLBACK'));
      throw error;
    }
  });
}

async function overPrimary<T>(
  source: DataSource,
  work: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  const runner = source.createQueryRunner('master');
  try {
    const client = (await runner.connect()) as PostgresClient;
    requireIdle(client);
    return await work(client);
  } finally {
    await runner.release();
  }
}
