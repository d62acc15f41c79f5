/** The service as main.ts starts it, in this process and without a port. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { createApp } from '../../../src/app.js';
import { parseConfig } from '../../../src/config/config.js';
import { User } from '../../../src/users/user.entity.js';
import { StatementCounter } from '../../../packages/tidemark/test/support/statement-counter.js';
import { answerOf, type Answer } from './answer.js';
import { RestClient, type Request } from './rest-client.js';

export interface NewUser {
  readonly username: string;
  readonly region: string;
  readonly email?: string;
}

export class RestService extends RestClient {
  private constructor(
    private readonly app: NestFastifyApplication,
    readonly source: DataSource,
    readonly sql: StatementCounter,
  ) {
    super();
  }

  static async start(env: Readonly<Record<string, string | undefined>>): Promise<RestService> {
    // Tests count the statements of hits.
    const settings = { LOG_LEVEL: 'silent', SEED_USERS: '0', CACHE_AUDIT: '0', ...env };
    const app = await createApp(parseConfig(settings));
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    const source = app.get(DataSource);
    return new RestService(app, source, StatementCounter.attach(source));
  }

  async stop(): Promise<void> {
    this.sql.detach();
    await this.app.close();
  }

  /** Puts users into the table past the REST surface; returns their ids in order. */
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

  protected async send({ method, path, headers, payload }: Request): Promise<Answer> {
    const response = await this.app.inject({
      method,
      url: path,
      headers,
      ...(payload === undefined ? {} : { payload }),
    });
    const received = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
    return answerOf(
      response.statusCode,
      Object.fromEntries(received) as Record<string, string>,
      response.rawPayload,
    );
  }
}
