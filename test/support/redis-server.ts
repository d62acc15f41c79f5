/**
 * A real Redis (or Valkey) server for one test: a free port, a separate folder, and no persistence unless requested. It
 * ends with the test process, however that ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';

const HOST = '127.0.0.1';
const START_ATTEMPTS = 5;
const START_LIMIT_MS = 20_000;
const SNAPSHOT_FILE = 'dump.rdb';
/** In the log of a server, and of a Sentinel. */
const LISTENING = /Ready to accept connections|Sentinel ID is/;

export interface RedisServerOptions {
  /** Lines of redis.conf, such as `{ maxmemory: '10mb' }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** A Sentinel instead of a server of data. */
  readonly isSentinel?: boolean;
  /** A node of a Redis Cluster, at first alone. */
  readonly isClusterNode?: boolean;
}

export class RedisServer {
  #child: ChildProcess | undefined;
  #guard: ChildProcess | undefined;
  #isPaused = false;

  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly config: Readonly<Record<string, string>>,
    private readonly isSentinel: boolean,
  ) {}

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt += 1) {
      const directory = await mkdtemp(join(tmpdir(), 'tidemark-redis-'));
      const { config = {}, isSentinel = false, isClusterNode = false } = options;
      const settings = isClusterNode ? { ...(await clusterNodeConfig()), ...config } : config;
      const server = new RedisServer(await freePort(), directory, settings, isSentinel);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.stop();
        // Another process may have taken the port in between.
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  /** Where the other nodes of its cluster reach it. */
  get clusterPort(): number {
    return Number(this.config['cluster-port']);
  }

  /** `NaN` without TLS. */
  get tlsPort(): number {
    return Number(this.config['tls-port']);
  }

  /** Without user and password, whatever the configuration. */
  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** It runs and is not paused. */
  get isAnswering(): boolean {
    return this.isRunning && !this.#isPaused;
  }

  /** SIGKILL: what was not saved is lost. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#isPaused = false;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      // Keeps the waiting process alive until the server has ended.
      child.ref();
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    this.#guard?.kill('SIGKILL');
    this.#guard = undefined;
  }

  /** Kills the server and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The server stops in its tracks; connections stay open. */
  pause(): void {
    this.#isPaused = true;
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#isPaused = false;
    this.#child?.kill('SIGCONT');
  }

  /**
   * Kills the server and starts another on the same port, with the data of the last {@link save},
   * or none at all with `empty`.
   */
  async restart(options: { empty?: boolean; keepPort?: true } = {}): Promise<void> {
    await this.kill();
    if (options.empty === true) await rm(join(this.directory, SNAPSHOT_FILE), { force: true });
    await this.#launch();
  }

  /** Writes a snapshot that the next {@link restart} starts from. */
  async save(): Promise<void> {
    const reply = await this.command('SAVE');
    if (!reply.startsWith('+OK')) throw new Error(`Redis did not save: ${reply}`);
  }

  /** Sends one command and returns the first line of the reply as it came. */
  async command(...words: readonly string[]): Promise<string> {
    const socket = createConnection({ host: HOST, port: this.port });
    try {
      await once(socket, 'connect');
      const password = this.config['requirepass'];
      const lines = password === undefined ? [words] : [['AUTH', password], words];
      socket.write(lines.map(inlineCommand).join(''));
      let text = '';
      for await (const chunk of socket) {
        text += String(chunk);
        const replies = text.split('\r\n');
        if (replies.length > lines.length) return replies[lines.length - 1] ?? '';
      }
      throw new Error('Redis closed the connection');
    } finally {
      socket.destroy();
    }
  }

  async #launch(): Promise<void> {
    const argv = await this.#arguments();
    const child = spawn(serverBinary(), argv, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C in the terminal is for the tests; they end the server.
      detached: true,
    });
    this.#child = child;
    let output = '';
    let isListening = false;
    const keep = (chunk: unknown): void => {
      output = (output + String(chunk)).slice(-4_000);
      isListening ||= LISTENING.test(output);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(new Error(`Redis ended at once (${code ?? signal}):\n${output}`)),
      );
    });
    failed.catch(() => undefined);
    if (child.pid !== undefined) this.#guard = guard(child.pid, this.directory);
    unref(child, child.stdout, child.stderr);
    await Promise.race([failed, this.#answers(() => isListening)]);
  }

  async #arguments(): Promise<readonly string[]> {
    const settings: Record<string, string> = {
      bind: HOST,
      port: String(this.port),
      dir: this.directory,
      ...(this.isSentinel ? {} : { dbfilename: SNAPSHOT_FILE, save: '', appendonly: 'no' }),
      ...this.config,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    if (!this.isSentinel) return flags;
    // A Sentinel writes its state to its configuration file, and has it again after a restart.
    const file = join(this.directory, 'sentinel.conf');
    await writeFile(file, '', { flag: 'a' });
    return [file, '--sentinel', ...flags];
  }

  /** By its log it is this server that has the port, and not one of another process. */
  async #answers(isListening: () => boolean): Promise<void> {
    const limitMs = performance.now() + START_LIMIT_MS;
    for (;;) {
      const reply = isListening() ? await this.command('PING').catch(() => '') : '';
      if (reply.startsWith('+PONG')) return;
      if (performance.now() > limitMs) throw new Error('Redis did not answer in time');
      await delay(10);
    }
  }
}

/**
 * A shell whose input is held open by this process: when that ends, by whatever means, the shell
 * kills the server, stopped or not, and removes its folder.
 */
function guard(pid: number, directory: string): ChildProcess {
  const script = 'read -r _; kill -9 "$1" 2>/dev/null; rm -rf "$2"';
  const shell = spawn('/bin/sh', ['-c', script, 'guard', String(pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  unref(shell, shell.stdin);
  return shell;
}

/** A server that a test did not stop must not keep the test process alive. Pipes are sockets. */
function unref(...handles: readonly object[]): void {
  for (const handle of handles) {
    if ('unref' in handle && typeof handle.unref === 'function') handle.unref();
  }
}

/** The node keeps its place in the cluster in a file of its folder, also over a restart. */
async function clusterNodeConfig(): Promise<Readonly<Record<string, string>>> {
  return {
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-announce-ip': HOST,
    // By default 10,000 above the other port: mostly no port at all.
    'cluster-port': String(await freePort()),
  };
}

function inlineCommand(words: readonly string[]): string {
  return `${words.map((word) => JSON.stringify(word)).join(' ')}\r\n`;
}

function serverBinary(): string {
  const named = process.env['REDIS_SERVER'];
  if (named !== undefined && named !== '') return named;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of ['redis-server', 'valkey-server']) {
      try {
        const path = join(folder, name);
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        continue;
      }
    }
  }
  throw new Error('No Redis server: install redis-server, or name one in REDIS_SERVER');
}
