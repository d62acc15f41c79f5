import { ServiceProcess } from '../../../test/support/service-process.js';
import { TTL_MS } from '../applications/settings.js';
import { applicationProgram } from '../stand/compile.js';
import { cpuMicroseconds, peakMemoryBytes } from '../stand/process-usage.js';
import type { Place, Servers } from '../stand/servers.js';
import type { StatementCount } from '../stand/statements.js';
import type { Contender } from './contender.js';

export interface StartOptions {
  /** Rows that the answer of a constant has. */
  readonly rows: number;
  /** An environment beside the contender's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The data of another instance, to be shared. */
  readonly place?: Place;
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
    { rows, env = {}, place: shared }: StartOptions,
  ): Promise<RunningContender> {
    const place = shared ?? (await servers.place());
    const { application } = contender;
    const process = await ServiceProcess.start({
      ...(application === undefined ? {} : { program: applicationProgram(application) }),
      readyPath: contender.readyPath ?? `/users?limit=${rows}`,
      env: {
        DATABASE_URL: place.databaseUrl,
        REDIS_URL: place.redisUrl,
        CACHE_TTL: String(TTL_MS / 1000),
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

  /** SIGKILL; the process is gone, its place stays. */
  kill(): Promise<void> {
    return this.process.kill();
  }

  async stop(): Promise<void> {
    await this.process.stop();
    if (this.ownsPlace) await this.servers.drop(this.place);
  }
}
