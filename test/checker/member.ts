/** One instance of the checked system, over all the processes it has been. */
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceProcess } from '../support/service-process.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import type { RedisRoute } from './redis/redis-route.js';

/** Prefix of the names of all instances' database sessions. */
export const SESSION_PREFIX = 'checked-';
const START_ATTEMPTS = 5;
const START_PAUSE_MS = 500;

/** The proxies between one instance and its servers. */
export interface MemberRoutes {
  readonly postgres: TcpProxy;
  readonly redis: RedisRoute;
}

export class Member {
  #process: ServiceProcess | undefined;
  #generation = 0;
  #isAlive = false;
  #isPaused = false;
  /** Time of the last cache hit, in milliseconds of the monotonic clock. */
  lastHitMs = 0;

  constructor(
    readonly index: number,
    private readonly databaseUrl: string,
    readonly routes: MemberRoutes,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** The name of the present process's database sessions; every process has another. */
  get session(): string {
    return `${SESSION_PREFIX}${this.index}-${this.#generation}`;
  }

  /** `undefined` while there is no process to talk to. */
  get port(): number | undefined {
    return this.#isAlive ? this.#process?.port : undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether the process with sessions of this name still runs. */
  isAlive(session: string): boolean {
    return this.session === session && this.#process?.isRunning === true;
  }

  /** The log of its present process. */
  get log(): string {
    return this.#process?.log ?? '';
  }

  /** The wall-clock process id, for reports. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    this.#generation += 1;
    const url = new URL(this.databaseUrl);
    url.port = String(this.routes.postgres.port);
    url.searchParams.set('application_name', this.session);
    const env = { SEED_USERS: '0', ...this.env, DATABASE_URL: url.href };
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#process = await ServiceProcess.start({ env });
        this.#isAlive = true;
        return;
      } catch (error) {
        // It does not start while the database is away.
        if (attempt === START_ATTEMPTS) throw error;
        await delay(START_PAUSE_MS);
      }
    }
  }

  async kill(): Promise<void> {
    this.#isAlive = false;
    this.#isPaused = false;
    await this.#process?.stop();
  }

  pause(): void {
    this.#isPaused = true;
    this.#process?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#process?.resume();
  }

  async stop(): Promise<void> {
    this.resume();
    await this.kill();
    await Promise.all([this.routes.postgres.close(), this.routes.redis.close()]);
  }
}
