/**
 * No cache, but the round trips that the protocol asks for, and nothing else of it: no implementation of the protocol
 * comes below.
 *
 * - A read asks Redis for versions and entry, then runs its SELECT: a stamp is read before the SELECT starts. It stores
 *   its answer without waiting.
 * - A write opens its transaction, sends its statement, whose triggers say what it wrote, puts marks and versions into
 *   Redis before COMMIT, and puts versions there after it without waiting.
 *
 * Nothing is analysed, compared or invalidated.
 */
import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { Redis } from 'ioredis';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { library } from './built-service.js';
import { serve } from './serve.js';
import { redisAddress, TTL_MS } from './settings.js';
import {
  databaseModule,
  summaries,
  User,
  usersPage,
  type PageQuery,
  type UserDetails,
  type UserSummary,
} from './users.js';

const { CacheRegion, CacheTriggers } = await library();

CacheRegion<User>('region')(User);

const redis = new Redis(redisAddress());
/** As long as a token. */
const TOKEN = 'x'.repeat(22);
/** Of the table, of the user and of the region. */
const VERSIONS = { table: TOKEN, user: TOKEN, region: TOKEN };

@Controller('users')
class UsersController {
  constructor(private readonly source: DataSource) {}

  @Get()
  async list(@Query() query: PageQuery): Promise<UserSummary[]> {
    const entry = `page:${JSON.stringify(query)}`;
    await redis.mget('epoch', 'table', entry);
    const answer = summaries(await usersPage(this.source, query).getMany());
    void redis.set(entry, JSON.stringify(answer), 'PX', TTL_MS);
    return answer;
  }

  @Patch(':id')
  async change(
    @Param('id') id: string,
    @Body() changes: Partial<User>,
  ): Promise<UserDetails | undefined> {
    const runner = this.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as pg.ClientBase;
      const [text, values] = this.source
        .createQueryBuilder(runner)
        .update(User)
        .set(changes)
        .where('id = :id', { id: Number(id) })
        .returning(['id', 'username', 'region', 'email'])
        .getQueryAndParameters();
      await client.query('START TRANSACTION');
      const updated = await client.query<UserDetails>(text, values);
      await redis.mset({ mark: TOKEN, ...VERSIONS });
      await client.query('COMMIT');
      void redis.mset({ mark: '', ...VERSIONS });
      return updated.rows[0];
    } finally {
      await runner.release();
    }
  }
}

/** @throws Error when the triggers raise no notice in this session, as they do in the service's sessions. */
async function expectNotice(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  const client = (await runner.connect()) as pg.ClientBase;
  let notices = 0;
  const count = (): number => (notices += 1);
  client.on('notice', count);
  try {
    await client.query(`UPDATE "users" SET "email" = "email" || '' WHERE "id" = 1`);
    if (notices === 0) throw new Error('The triggers raise no notice in the sessions of the floor');
  } finally {
    client.off('notice', count);
    await runner.release();
  }
}

await serve({ imports: [databaseModule()], controllers: [UsersController] }, async (app) => {
  const source = app.get(DataSource);
  await new CacheTriggers(source, 'tidemark').install();
  await expectNotice(source);
});
