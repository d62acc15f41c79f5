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
 * @throws DatabaseError when it stays away, refuses the connection, or is too old.
 */
export async function connect(source: DataSource): Promise<DataSource> {
  const log = new Logger('Database');
  for (let attempt = 1; ; attempt += 1) {
    try {
      await source.initialize();
      break;
    } catch (error) {
      const reason = reasonOf(error);
      const isAway = isDatabaseUnavailable(error);
      if (!isAway || attempt >= ATTEMPTS) {
        const problem = isAway
          ? `cannot be reached (${reason}). Check that it runs, and the host and port in DATABASE_URL.`
          : `refused the connection (${reason}). Check user, password and database name in DATABASE_URL.`;
        throw new DatabaseError(`The database ${problem}`, { cause: error });
      }
      log.warn(
        `The database cannot be reached (${reason}); attempt ${attempt} of ${ATTEMPTS}, again in ${RETRY_DELAY_MS} ms`,
      );
      await pause(RETRY_DELAY_MS);
    }
  }
  await requireVersion(source);
  return source;
}

async function requireVersion(source: DataSource): Promise<void> {
  const [row] = await source.query<{ number: string; name: string }[]>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS name`,
  );
  if (row && Number(row.number) >= OLDEST_SERVER) return;
  await source.destroy();
  throw new DatabaseError(
    `The database is PostgreSQL ${row?.name ?? 'of an unknown version'}, which is too old. Use PostgreSQL 15 or later.`,
  );
}

/** PostgreSQL's or the network's words. The URL, with its password, is in neither. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
