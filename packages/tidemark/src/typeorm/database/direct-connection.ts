/**
 * Checks that connections lead to PostgreSQL itself. A connection pooler opens a session with a made-up process id, and
 * passes statements to other processes: PostgreSQL knows nothing of a mark's process then, and takes its writer for
 * dead.
 */
import type { DataSource } from 'typeorm';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import { nameOf } from './data-source-name.js';

/** The data source leads to a connection pooler, behind which a dead writer cannot be recognised. */
export class PooledConnectionError extends Error {
  constructor(source: DataSource, opened: number, answered: number) {
    super(
      `The data source ${nameOf(source)} leads to a connection pooler such as PgBouncer: the connection was opened ` +
        `as that of process ${opened}, and process ${answered} of PostgreSQL has answered. The cache recognises a ` +
        'writer that has died by its process, so give the data source the address of PostgreSQL itself.',
    );
    this.name = 'PooledConnectionError';
  }
}

/** @throws PooledConnectionError */
export async function requireDirectConnection(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner('master');
  try {
    const client = (await runner.connect()) as PostgresClient;
    const sql = 'SELECT pg_catalog.pg_backend_pid() AS pid';
    const [answer] = (await client.query<{ pid: number }>(sql)).rows;
    const { processID: opened } = client;
    // The native client has no process id.
    if (typeof opened !== 'number' || opened === answer?.pid) return;
    throw new PooledConnectionError(source, opened, answer?.pid ?? 0);
  } finally {
    await runner.release();
  }
}
