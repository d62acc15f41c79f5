/**
 * A built instance of the service (`node dist/main.js`), or another program that listens on HOST and
 * PORT, in a separate process, on a free port. Ends with the test process, however that ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { ProcessGuard } from './process-guard.js';

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const HOST = '127.0.0.1';
const START_ATTEMPTS = 3;
const START_LIMIT_MS = 60_000;
const LOG_LIMIT = 1_000_000;

export interface ServiceProcessOptions {
  /** The environment of the instance, beside PATH, HOST and PORT. */
  readonly env: Readonly<Record<string, string>>;
  /** Answers 2xx once the instance is ready for the test. Default `/health/live`. */
  readonly readyPath?: string;
  /** Path of the program that Node runs. Default `dist/main.js`. */
  readonly program?: string;
}

export class ServiceProcess {
  #child: ChildProcess | undefined;
  #guard: ProcessGuard | undefined;
  #log = '';

  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly options: ServiceProcessOptions,
  ) {}

  /** Starts an instance and waits until it answers. Rejects with its log when it does not. */
  static async start(options: ServiceProcessOptions): Promise<ServiceProcess> {
    const { program = MAIN } = options;
    if (!existsSync(program)) throw new Error(`There is no ${program}: run npm run build`);
    for (let attempt = 1; ; attempt += 1) {
      const directory = mkdtempSync(join(tmpdir(), 'tidemark-service-'));
      const service = new ServiceProcess(await freePort(), directory, options);
      try {
        await service.#launch();
        return service;
      } catch (error) {
        await service.stop();
        // Another process may have taken the port in between.
        if (attempt === START_ATTEMPTS || !service.log.includes('EADDRINUSE')) throw error;
      }
    }
  }

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Standard output and standard error of the instance, over all restarts. */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(new URL(path, this.url), init);
  }

  /** SIGTERM; returns the exit code, or the name of the signal that ended the process. */
  async term(): Promise<number | NodeJS.Signals> {
    return this.#end('SIGTERM');
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** The process stops in its tracks; connections stay open. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends the instance and starts it again on the same port and in the same folder; `env` is added for this time. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.isRunning) await this.kill();
    await this.#launch(env);
  }

  /** Kills the instance, if it runs, and removes its folder. */
  async stop(): Promise<void> {
    if (this.isRunning) await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (child === undefined) throw new Error('The service was never started');
    if (this.isRunning) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    this.#guard?.dismiss();
    this.#guard = undefined;
    return child.exitCode ?? child.signalCode ?? 0;
  }

  async #launch(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { PATH } = process.env;
    const child = spawn(process.execPath, [this.options.program ?? MAIN], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH, HOST, PORT: String(this.port), ...this.options.env, ...more },
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString()).slice(-LOG_LIMIT);
      });
      (stream as unknown as { unref(): void }).unref();
    }
    child.unref();
    if (child.pid !== undefined) {
      this.#guard = new ProcessGuard({ pid: child.pid, signal: 'KILL', directory: this.directory });
    }
    await this.#answers(child);
  }

  async #answers(child: ChildProcess): Promise<void> {
    const path = this.options.readyPath ?? '/health/live';
    const limitMs = performance.now() + START_LIMIT_MS;
    for (;;) {
      const response = await this.fetch(path).catch(() => undefined);
      await response?.body?.cancel();
      if (child !== this.#child || !this.isRunning) {
        throw new Error(
          `The service ended with ${child.exitCode ?? child.signalCode}:\n${this.#log}`,
        );
      }
      if (response?.ok) return;
      if (performance.now() > limitMs) throw new Error(`The service is not ready:\n${this.#log}`);
      await delay(25);
    }
  }
}
