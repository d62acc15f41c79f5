/**
 * A real PostgreSQL server for one test: a free port, a separate folder, no sync to the disk. It ends with the test
 * process, however that ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.js';
import { postgresBinaries } from './postgres-binaries.js';
import { copyFolder, initialise, serverEnvironment, SUPERUSER } from './postgres-data.js';
import { ProcessGuard } from './process-guard.js';
import { childrenOf, isRunning, signalProcess } from './process-tree.js';
import { unprivilegedUser } from './unprivileged-user.js';

const HOST = '127.0.0.1';
const START_ATTEMPTS = 5;
const START_LIMIT_MS = 30_000;
const OUTPUT_LIMIT = 1_000_000;

type Settings = Readonly<Record<string, string>>;

const TEST_SETTINGS: Settings = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'off',
  full_page_writes: 'off',
  // It would go through some hundred databases again and again, all of which are small and soon gone.
  autovacuum: 'off',
};

export interface PostgresServerOptions {
  /** Server settings as in postgresql.conf, such as `{ log_statement: 'all' }`. */
  readonly config?: Settings;
  /** The folder of `postgres` and `initdb`; else postgres-binaries.ts finds one. */
  readonly binaries?: string | undefined;
  /** With a system identifier that no other server has; else most servers of a run share one. */
  readonly isUnrelated?: boolean;
}

export class PostgresServer {
  #child: ChildProcess | undefined;
  #guard: ProcessGuard | undefined;
  #output = '';
  #paused: number[] = [];

  private constructor(
    readonly port: number,
    private readonly binaries: string,
    private readonly directory: string,
    private readonly config: Settings,
  ) {}

  /** Makes a new, empty server. Rejects with what the server wrote when it does not start. */
  static async start(options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const user = unprivilegedUser();
    const binaries = options.binaries ?? postgresBinaries(user !== undefined);
    const directory = mkdtempSync(join(tmpdir(), 'tidemark-postgres-'));
    chmodSync(directory, 0o700);
    if (user) chownSync(directory, user.uid, user.gid);
    const model = process.env['TIDEMARK_TEST_POSTGRES_MODEL'];
    if (model === undefined || options.binaries !== undefined || options.isUnrelated) {
      await initialise({ binaries, directory, user });
    } else await copyFolder(model, join(directory, 'data'));
    for (let attempt = 1; ; attempt += 1) {
      const config = { ...TEST_SETTINGS, ...options.config };
      const server = new PostgresServer(await freePort(), binaries, directory, config);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        // Another process may have taken the port in between.
        if (attempt < START_ATTEMPTS && server.#output.includes('could not bind')) continue;
        await server.stop();
        throw error;
      }
    }
  }

  /** The database `postgres`, as superuser. */
  get url(): string {
    return this.urlOf('postgres');
  }

  /** Copies the data of the server, which is down meanwhile; resolves to the folder of the copy, which lasts until the server stops. */
  async copyData(): Promise<string> {
    await this.#shutDown();
    const copy = join(this.directory, 'copy');
    await copyFolder(this.#data, copy);
    await this.#launch();
    return copy;
  }

  /** The latest lines of the server's log. */
  get log(): string {
    return this.#output;
  }

  get #data(): string {
    return join(this.directory, 'data');
  }

  urlOf(database: string): string {
    return `postgres://${SUPERUSER}@${HOST}:${this.port}/${database}`;
  }

  /** Creates an empty database and returns its URL. Without a name it gets a unique one. */
  async createDatabase(name = `test_${randomBytes(6).toString('hex')}`): Promise<string> {
    await this.psql(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    return this.urlOf(name);
  }

  /** Runs SQL over a separate connection and returns the rows of the last statement. */
  async psql<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    database = 'postgres',
  ): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.urlOf(database) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const answer: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query<Row>(sql);
      return (Array.isArray(answer) ? answer.at(-1)?.rows : answer.rows) ?? [];
    } finally {
      await client.end();
    }
  }

  /** Every process of the server stops in its tracks; connections stay open. */
  pause(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    // The postmaster first, so that no new backend appears.
    signalProcess(pid, 'SIGSTOP');
    this.#paused = [pid, ...childrenOf(pid)];
    for (const process of this.#paused) signalProcess(process, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.#paused.reverse()) signalProcess(pid, 'SIGCONT');
    this.#paused = [];
  }

  /** SIGKILL to every process of the server; the data stays for {@link restart}. */
  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    signalProcess(pid, 'SIGSTOP');
    const all = [pid, ...childrenOf(pid)];
    const ended = this.#ended();
    for (const process of all) signalProcess(process, 'SIGKILL');
    await ended;
    while (all.some(isRunning)) await delay(5);
    this.#forget();
  }

  /**
   * Ends the server; the data stays for {@link restart}. `fast` cuts sessions off and rolls open
   * transactions back, `immediate` leaves everything to recovery.
   */
  async end(how: 'fast' | 'immediate'): Promise<void> {
    await this.#shutDown(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  /** Ends the server, and starts a standby of it on its data, under another address. */
  async endAsStandby(): Promise<PostgresServer> {
    await this.#shutDown();
    const standby = await this.#copyAsStandby(this.config);
    await standby.#launch();
    return standby;
  }

  /** Restarts the server, and starts a standby that streams from it. */
  async restartWithStandby(config: Settings = {}): Promise<PostgresServer> {
    await this.#shutDown();
    const primary_conninfo = `host=${HOST} port=${this.port} user=${SUPERUSER}`;
    const standby = await this.#copyAsStandby({ ...this.config, primary_conninfo, ...config });
    await this.#launch();
    await standby.#launch();
    return standby;
  }

  async #copyAsStandby(config: Settings): Promise<PostgresServer> {
    const directory = `${this.directory}-standby`;
    await copyFolder(this.directory, directory);
    await copyFolder(join(this.#data, 'PG_VERSION'), join(directory, 'data/standby.signal'));
    return new PostgresServer(await freePort(), this.binaries, directory, config);
  }

  /** SIGKILL to the first process alone; the others notice, and are waited for. */
  async killPostmaster(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    const others = childrenOf(pid);
    const ended = this.#ended();
    signalProcess(pid, 'SIGKILL');
    await ended;
    while (others.some(isRunning)) await delay(5);
    this.#forget();
  }

  /** Ends the server, if it runs, and starts it again on the same port with the same data. */
  async restart(): Promise<void> {
    await this.#shutDown();
    await this.#launch();
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    await this.#shutDown();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** By default a fast shutdown: sessions are cut off, open transactions roll back. */
  async #shutDown(signal: 'SIGINT' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    this.resume();
    const child = this.#child;
    if (child === undefined) return;
    const ended = this.#ended();
    child.kill(signal);
    await ended;
    this.#forget();
  }

  async #ended(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    // Keeps the waiting process alive until the server has ended.
    child.ref();
    await once(child, 'exit');
  }

  #forget(): void {
    this.#guard?.dismiss();
    this.#guard = undefined;
    this.#child = undefined;
    this.#paused = [];
  }

  async #launch(): Promise<void> {
    const settings = { ...this.config, port: String(this.port) };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(this.binaries, 'postgres'), ['-D', this.#data, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.directory,
      env: serverEnvironment(),
      // Ctrl-C in the terminal is for the tests; they end the server.
      detached: true,
      ...unprivilegedUser(),
    });
    this.#child = child;
    this.#output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_LIMIT);
      });
      (stream as unknown as { unref(): void }).unref();
    }
    child.unref();
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(new Error(`PostgreSQL ended at once (${code ?? signal}):\n${this.#output}`));
      });
    });
    failed.catch(() => undefined);
    if (child.pid !== undefined) {
      this.#guard = new ProcessGuard({ pid: child.pid, signal: 'QUIT', directory: this.directory });
    }
    await Promise.race([failed, this.#answers()]).catch((error: unknown) => {
      if (child.exitCode !== null || child.signalCode !== null) this.#forget();
      throw error;
    });
  }

  async #answers(): Promise<void> {
    const limitMs = performance.now() + START_LIMIT_MS;
    for (;;) {
      try {
        const [row] = await this.psql<{ data_directory: string }>('SHOW data_directory');
        // Another process may have taken the port, and be a PostgreSQL server itself.
        if (row?.data_directory === this.#data) return;
        throw new Error(`Another PostgreSQL server answers on port ${this.port}`);
      } catch (error) {
        if (this.#child === undefined || performance.now() > limitMs) throw error;
        await delay(20);
      }
    }
  }
}
