import { join } from 'node:path';
import { ServiceProcess } from '../../../test/support/service-process.js';
import { TTL_MS } from '../applications/settings.js';
import { applicationProgram, ROOT } from '../harness/compile.js';
import { cpuMicroseconds, peakMemoryBytes } from '../harness/process-usage.js';
import type { Place, Servers } from '../harness/servers.js';
import type { StatementCount } from '../harness/statements.js';
import type { Contender } from './contender.js';

export interface StartOptions {
  /** Rows that the answer of a constant has. */
  readonly rows: number;
  /** An environment beside the contender's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The data of another instance, to be shared. */
  readonly place?: Place;
  /** Changes the data before the contender starts. */
  readonly prepare?: (place: Place) => Promise<unknown>;
}

/** A contender that has been started. */
export class RunningContender {
  private constructor(
    readonly contender: Contender,
    readonly place: Place,
    private readonly process: ServiceProcess,
    private readonly servers: Servers,
    private readonly ownsPlace: boolean,
  ) {}

  static async start(
    contender: Contender,
    servers: Servers,
    { rows, env = {}, place: shared, prepare }: StartOptions,
  ): Promise<RunningContender> {
    const place = shared ?? (await servers.place());
    await prepare?.(place);
    const { application, checkout = ROOT } = contender;
    const process = await ServiceProcess.start({
      program:
        application === undefined
          ? join(checkout, 'dist/main.js')
          : applicationProgram(application, checkout),
      readyPath: contender.readyPath ?? `/users?limit=${rows}`,
      env: {
        NODE_ENV: 'production',
        DATABASE_URL: place.databaseUrl,
        REDIS_URL: place.redisUrl,
        CACHE_TTL: String(TTL_MS / 1000),
        // Statements are counted.
        CACHE_AUDIT: '0',
        LOG_LEVEL: 'warn',
        BENCH_ROWS: String(rows),
        ...contender.env?.(place),
        ...env,
      },
    });
    return new RunningContender(contender, place, process, servers, shared === undefined);
  }

  get url(): string {
    return this.process.url;
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error(`${this.contender.title} does not run`);
    return pid;
  }

  get log(): string {
    return this.process.log;
  }

  get cpuMicroseconds(): number | undefined {
    return cpuMicroseconds(this.pid);
  }

  get peakMemoryBytes(): number | undefined {
    return peakMemoryBytes(this.pid);
  }

  statements(): Promise<StatementCount> {
    return this.servers.statements.of(this.place.database);
  }

  /** Asks once. Without headers no coding is accepted. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { 'accept-encoding': 'identity', ...(init.headers as Record<string, string>) };
    return this.process.fetch(path, { ...init, headers });
  }

  /** Requests every path once, many at a time, and returns the bytes of all bodies. */
  async askAll(paths: readonly string[], atOnce = 16): Promise<number> {
    let bytes = 0;
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
        const response = await this.ask(path);
        bytes += (await response.arrayBuffer()).byteLength;
        if (!response.ok) throw new Error(`${this.contender.title} answers ${response.status}`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return bytes;
  }

  /** SIGKILL; the process is gone, its place stays. */
  kill(): Promise<void> {
    return this.process.kill();
  }

  /** Starts it again on the same port, over the same place. */
  restart(): Promise<void> {
    return this.process.restart();
  }

  async stop(): Promise<void> {
    await this.process.stop();
    if (this.ownsPlace) await this.servers.drop(this.place);
  }
}
