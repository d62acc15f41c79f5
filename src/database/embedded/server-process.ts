/** One PostgreSQL server as a child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { childEnvironment } from '../../config/environment.js';
import { EmbeddedDatabaseError } from './embedded.errors.js';
import type { ServerAccount } from './server-account.js';
import type { ServerSettings } from './server-settings.js';

export interface ServerStart {
  /** The program `postgres`. */
  readonly program: string;
  readonly account: ServerAccount | undefined;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly settings: ServerSettings;
}

export const SERVER_USER = 'tidemark';
export const SERVER_HOST = '127.0.0.1';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 25;
const LOG_TAIL_LINES = 12;

export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly start: ServerStart,
  ) {}

  /**
   * Starts the server and waits until it answers, a recovery after a crash included.
   * @throws EmbeddedDatabaseError with the end of the server's log.
   */
  static async start(start: ServerStart): Promise<ServerProcess> {
    rmSync(start.logFile, { force: true });
    const log = openSync(start.logFile, 'a', 0o600);
    const { dataDirectory, settings } = start;
    // Without sockets (-k): the usual folder for them may be missing, or not writable.
    const options = ['-D', dataDirectory, '-h', SERVER_HOST, '-p', String(settings.port), '-k', ''];
    const child = spawn(start.program, options, {
      ...(start.account ?? {}),
      cwd: '/',
      env: childEnvironment(),
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const server = new ServerProcess(child, start);
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    await server.#waitUntilReady();
    return server;
  }

  /** Resolves when the server has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#hasEnded ? Promise.resolve() : once(this.child, 'exit').then(() => undefined);
  }

  /** Ends all connections and stops cleanly; without a clean end in time, at once. */
  async stop(): Promise<void> {
    const { ended } = this;
    this.child.kill('SIGINT');
    const impatience = setTimeout(() => this.child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(impatience);
  }

  /** Creates a database unless it is there. */
  async ensureDatabase(name: string): Promise<void> {
    const client = this.#client();
    await client.connect();
    try {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    } finally {
      await client.end();
    }
  }

  async #waitUntilReady(): Promise<void> {
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (this.#hasEnded) throw this.#didNotStart('ended as soon as it started');
      if (Date.now() > deadlineMs) {
        await this.stop();
        throw this.#didNotStart(`did not answer within ${START_TIMEOUT_MS / 1000} s`);
      }
      await pause(POLL_MS);
    }
  }

  async #answers(): Promise<boolean> {
    const client = this.#client();
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #client(): pg.Client {
    const { port, password } = this.start.settings;
    const client = new pg.Client({
      host: SERVER_HOST,
      port,
      password,
      user: SERVER_USER,
      database: 'postgres',
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => undefined);
    return client;
  }

  get #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  #didNotStart(problem: string): EmbeddedDatabaseError {
    const lines = readFileSync(this.start.logFile, 'utf8').trim().split('\n');
    return new EmbeddedDatabaseError(
      `${problem}; it said:\n  ${lines.slice(-LOG_TAIL_LINES).join('\n  ')}\n`,
      `Its data is in ${this.start.dataDirectory}.`,
    );
  }
}
