import { ServiceProcess } from '../../support/service-process.js';
import { answerOf, type Answer } from './answer.js';
import { RestClient, type Request } from './rest-client.js';

/** A built instance in a separate process, used over HTTP. */
export class Instance extends RestClient {
  private constructor(readonly process: ServiceProcess) {
    super();
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Instance> {
    // Tests count the statements of hits.
    const settings = { LOG_LEVEL: 'warn', SEED_USERS: '0', CACHE_AUDIT: '0', ...env };
    return new Instance(await ServiceProcess.start({ env: settings }));
  }

  /** The status of `/health/ready`: `ok`, `degraded` or `error`. */
  async health(): Promise<unknown> {
    const { json } = await this.get('/health/ready');
    return (json as { status?: unknown } | undefined)?.status;
  }

  protected async send({ method, path, headers, payload }: Request): Promise<Answer> {
    const response = await this.process.fetch(path, {
      method,
      headers: { 'accept-encoding': 'identity', ...headers },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const body = Buffer.from(await response.arrayBuffer());
    return answerOf(response.status, Object.fromEntries(response.headers), body);
  }
}
