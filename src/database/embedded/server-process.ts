/** One PostgreSQL server as a child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { childEnvironment } from '../../config/environment.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import type { ServerAccount } from './server-account.js';
import type { ServerSettings } from './server-settings.js';

export interface ServerStart {
  /** The folder of the PostgreSQL programs. */
  readonly programs: string;
  readonly account: ServerAccount;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly settings: ServerSettings;
}

export interface RunningServer {
  /** Resolves when the server has ended, for any reason. */
  readonly ended: Promise<void>;
  /** Ends all connections and stops cleanly; if that takes too long, stops at once. */
  stop(): Promise<void>;
}

export const SERVER_USER = 'tidemark';
export const SERVER_HOST = '127.0.0.1';
export const DATABASE = 'tidemark';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const LOG_TAIL_LINES = 12;

/**
 * Starts the server, waits until it answers, which includes crash recovery, and creates its database if missing.
 * @throws EmbeddedDatabaseError with the end of the server log.
 */
export async function startServer(start: ServerStart): Promise<RunningServer> {
  const { programs, account, dataDirectory, logFile, settings } = start;
  rmSync(logFile, { force: true });
  const log = openSync(logFile, 'a', 0o600);
  // Without sockets (-k): the usual folder for them may be missing or read-only.
  const options = ['-D', dataDirectory, '-h', SERVER_HOST, '-p', String(settings.port), '-k', ''];
  const child = spawn(join(programs, 'postgres'), options, {
    ...account,
    cwd: '/',
    env: childEnvironment(),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await once(child, 'spawn');
  const ended = once(child, 'exit').then(() => undefined);
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    const impatience = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(impatience);
  };
  try {
    await makeReady(child, start);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ended, stop };
}

async function makeReady(child: ChildProcess, start: ServerStart): Promise<void> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await hasDatabase(start.settings))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw didNotStart('ended as soon as it started', start);
    }
    if (Date.now() > deadlineMs) {
      throw didNotStart(`did not answer within ${START_TIMEOUT_MS / 1000} s`, start);
    }
    await pause(POLL_MS);
  }
}

async function hasDatabase({ port, password }: ServerSettings): Promise<boolean> {
  const client = new pg.Client({
    host: SERVER_HOST,
    port,
    password,
    user: SERVER_USER,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function didNotStart(problem: string, start: ServerStart): EmbeddedDatabaseError {
  const lines = readFileSync(start.logFile, 'utf8').trim().split('\n');
  return new EmbeddedDatabaseError(
    `${problem}; it said:\n  ${lines.slice(-LOG_TAIL_LINES).join('\n  ')}\n`,
    `Its data is in ${start.dataDirectory}.`,
  );
}
