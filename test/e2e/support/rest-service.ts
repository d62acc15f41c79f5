/** The service as main.ts starts it, in this process and without a port. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { createApp } from '../../../src/app.js';
import { parseConfig } from '../../../src/config/config.js';
import { User } from '../../../src/users/user.entity.js';
import { eventually } from '../../support/eventually.js';
import { StatementCounter } from '../../support/statement-counter.js';
import { answerOf, type Answer } from './answer.js';

type Headers = Readonly<Record<string, string>>;

export interface NewUser {
  readonly username: string;
  readonly region: string;
  readonly email?: string;
}

export class RestService {
  private constructor(
    private readonly app: NestFastifyApplication,
    readonly source: DataSource,
    readonly sql: StatementCounter,
  ) {}

  static async start(env: Readonly<Record<string, string | undefined>>): Promise<RestService> {
    const app = await createApp(parseConfig({ LOG_LEVEL: 'silent', SEED_USERS: '0', ...env }));
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    const source = app.get(DataSource);
    return new RestService(app, source, StatementCounter.attach(source));
  }

  async stop(): Promise<void> {
    this.sql.detach();
    await this.app.close();
  }

  get(path: string, headers?: Headers): Promise<Answer> {
    return this.#send('GET', path, undefined, headers);
  }

  /** A string is sent as it is, anything else as JSON. */
  post(path: string, body: unknown, headers?: Headers): Promise<Answer> {
    return this.#send('POST', path, body, headers);
  }

  patch(path: string, body: unknown): Promise<Answer> {
    return this.#send('PATCH', path, body);
  }

  delete(path: string): Promise<Answer> {
    return this.#send('DELETE', path);
  }

  /** Reads until the answer comes out of the cache, and answers that one. */
  warm(path: string): Promise<Answer> {
    return this.#until(path, (answer) => answer.cache === 'hit');
  }

  /** Reads until no write is under way that the answer might depend on. */
  settled(path: string): Promise<Answer> {
    return this.#until(path, (answer) => answer.cache !== 'bypass');
  }

  /** Puts users into the table past the REST surface; answers their ids in order. */
  async insert(...users: readonly NewUser[]): Promise<number[]> {
    const rows = users.map((user) => ({ email: `${user.username}@example.com`, ...user }));
    const { identifiers } = await this.source.getRepository(User).insert(rows);
    return identifiers.map(({ id }) => Number(id));
  }

  async removeAll(): Promise<void> {
    await this.source.createQueryBuilder().delete().from(User).execute();
  }

  /** The rows as the database has them. */
  rows(): Promise<User[]> {
    return this.source.getRepository(User).find({ order: { id: 'ASC' } });
  }

  #until(path: string, isWanted: (answer: Answer) => boolean): Promise<Answer> {
    return eventually(async () => {
      const answer = await this.get(path);
      if (!isWanted(answer)) {
        throw new Error(`GET ${path}: ${answer.status} ${answer.headers['cache-status']}`);
      }
      return answer;
    });
  }

  async #send(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    body?: unknown,
    headers: Headers = {},
  ): Promise<Answer> {
    const response = await this.app.inject({
      method,
      url,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const received = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
    return answerOf(
      response.statusCode,
      Object.fromEntries(received) as Record<string, string>,
      response.rawPayload,
    );
  }
}
