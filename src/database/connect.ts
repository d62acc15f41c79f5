import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { isDatabaseUnavailable } from './database-unavailable.js';
import { DatabaseError } from './database.error.js';

const ATTEMPTS = 20;
const RETRY_DELAY_MS = 1_500;
const OLDEST_SERVER = 150_000;

/**
 * Connects, and waits for a database that is still starting.
 * @param initialize one attempt.
 * @throws DatabaseError if the database stays unavailable, refuses the connection, or is too old.
 */
export async function connect(
  source: DataSource,
  initialize: () => Promise<unknown> = () => source.initialize(),
): Promise<DataSource> {
  const log = new Logger('Database');
  for (let attempt = 1; !source.isInitialized; attempt += 1) {
    try {
      await initialize();
    } catch (error) {
      const reason = reasonOf(error);
      if (!isDatabaseUnavailable(error)) {
        const problem = `The database refused the connection (${reason})`;
        const remedy = 'Check user, password and database name in DATABASE_URL.';
        throw new DatabaseError(`${problem}. ${remedy}`, { cause: error });
      }
      const problem = `The database cannot be reached (${reason})`;
      if (attempt >= ATTEMPTS) {
        const remedy = 'Check that it runs, and the host and port in DATABASE_URL.';
        throw new DatabaseError(`${problem}. ${remedy}`, { cause: error });
      }
      log.warn(`${problem}; attempt ${attempt} of ${ATTEMPTS}, again in ${RETRY_DELAY_MS} ms`);
      await pause(RETRY_DELAY_MS);
    }
  }
  const [server] = await source.query<{ number: number; name: string }[]>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name`,
  );
  if (server && server.number >= OLDEST_SERVER) return source;
  await source.destroy();
  throw new DatabaseError(
    `The database is PostgreSQL ${server?.name ?? 'of an unknown version'}, which is too old. Use PostgreSQL 15 or later.`,
  );
}

/** The message of PostgreSQL or of the network. Neither contains the URL with its password. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
