import { Instance } from '../../e2e/support/instance.js';
import type { Answer } from '../../e2e/support/answer.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

/** Ports of the servers of a cluster. */
export interface Servers {
  readonly postgresPort: number;
  readonly redisPort: number;
  readonly database: string;
}

/** One built instance of a cluster, with a proxy between it and each of its servers. */
export class Member {
  #state: 'running' | 'paused' | 'dead' = 'running';
  #troubles = 0;
  #loggedBefore = 0;

  private constructor(
    readonly name: string,
    readonly instance: Instance,
    readonly postgres: TcpProxy,
    readonly redis: TcpProxy,
  ) {}

  static async start(
    name: string,
    { postgresPort, redisPort, database }: Servers,
    env: Readonly<Record<string, string>>,
  ): Promise<Member> {
    const [postgres, redis] = [await TcpProxy.open(postgresPort), await TcpProxy.open(redisPort)];
    const instance = await Instance.start({
      DATABASE_URL: `postgres://postgres@127.0.0.1:${postgres.port}/${database}`,
      REDIS_URL: redis.redisUrl,
      ...env,
    });
    return new Member(name, instance, postgres, redis);
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Changes whenever the process is killed, paused or brought back. */
  get troubles(): number {
    return this.#troubles;
  }

  /** The log of the instance since it was last mended. */
  get log(): string {
    return this.instance.process.log.slice(this.#loggedBefore);
  }

  get(path: string): Promise<Answer> {
    return this.instance.get(path);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.instance.patch(path, body);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#become('dead');
    await this.instance.process.kill();
  }

  /** Ends the process and starts one with more variables of the environment, or as before. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.kill();
    await this.instance.process.restart(env);
    this.#become('running');
  }

  /** SIGSTOP. */
  pause(): void {
    this.#become('paused');
    this.instance.process.pause();
  }

  /** SIGCONT. */
  resume(): void {
    this.instance.process.resume();
    this.#become('running');
  }

  /** Undoes every fault of the proxies and of the process. */
  async mend(): Promise<void> {
    this.postgres.calm();
    this.redis.calm();
    this.#loggedBefore = this.instance.process.log.length;
    if (this.#state === 'paused') this.resume();
    if (this.#state !== 'dead') return;
    await this.instance.process.restart();
    this.#become('running');
  }

  async stop(): Promise<void> {
    await this.instance.process.stop();
    await Promise.all([this.postgres.close(), this.redis.close()]);
  }

  #become(state: 'running' | 'paused' | 'dead'): void {
    this.#state = state;
    this.#troubles += 1;
  }
}
