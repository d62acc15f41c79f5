/** Queries of the cache itself to the primary. They bypass the hooks, over a connection of the pool. */
import type { DataSource } from 'typeorm';
import { sqlStateOf } from '../../postgres/sql-state.js';
import { closeConnection, requireIdle } from './transaction-end.js';

/** Often the only limit: a data source has none by default, and packets may be lost without an error. */
const ANSWER_LIMIT_MS = 10_000;

/** The part of a node-postgres client that is used here. */
interface Client {
  query(question: object): Promise<{ rows: Record<string, unknown>[] }>;
}

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
  const runner = source.createQueryRunner('master');
  try {
    const client = (await runner.connect()) as Client;
    requireIdle(client);
    try {
      return (await client.query({ text, values, query_timeout: limitMs })).rows;
    } catch (error) {
      if (sqlStateOf(error) === undefined) closeConnection(client);
      throw error;
    }
  } finally {
    await runner.release();
  }
}
