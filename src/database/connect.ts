import { setTimeout as pause } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { isDatabaseUnavailable } from './database-unavailable.js';
import { DatabaseError } from './database.error.js';

export interface ConnectOptions {
  readonly attempts: number;
  readonly retryDelayMs: number;
}

const PATIENT: ConnectOptions = { attempts: 20, retryDelayMs: 1_500 };
const OLDEST_SERVER = 150_000;

/**
 * Connects, and waits for a database that is still starting.
 * @throws DatabaseError when it stays away, refuses the connection, or is too old.
 */
export async function connect(
  source: DataSource,
  log: Pick<LoggerService, 'warn'>,
  { attempts, retryDelayMs }: ConnectOptions = PATIENT,
): Promise<DataSource> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await source.initialize();
      break;
    } catch (error) {
      const reason = reasonOf(error);
      if (!isDatabaseUnavailable(error)) {
        throw new DatabaseError(
          `The database refused the connection (${reason}). Check user, password and database name in DATABASE_URL.`,
          { cause: error },
        );
      }
      if (attempt >= attempts) {
        throw new DatabaseError(
          `The database cannot be reached (${reason}). Check that it runs, and the host and port in DATABASE_URL.`,
          { cause: error },
        );
      }
      log.warn(
        `The database cannot be reached (${reason}); attempt ${attempt} of ${attempts}, again in ${retryDelayMs} ms`,
      );
      await pause(retryDelayMs);
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
