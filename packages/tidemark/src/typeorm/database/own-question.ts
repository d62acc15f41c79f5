/** Questions that the cache itself puts to the primary, past the hooks, over a connection of the pool. */
import type { DataSource } from 'typeorm';
import { sqlStateOf } from '../../postgres/sql-state.js';
import { closeConnection, requireIdle } from './transaction-end.js';

/** Nothing else may bound an answer: a data source has no limit by default, and packets may be lost without an error. */
const ANSWER_LIMIT_MS = 10_000;

/** The part of a node-postgres client that is used here. */
interface Client {
  query(question: object): Promise<{ rows: Record<string, unknown>[] }>;
}

/**
 * Rejects with the error of the server, or where there is no answer in time; the connection is then closed.
 *
 * @param limitMs longest time for the answer, in milliseconds.
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
