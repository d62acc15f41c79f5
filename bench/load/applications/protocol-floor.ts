/**
 * No cache, but the round trips that a strict shared cache needs, and nothing else of it: what no
 * implementation of the protocol comes below. A read asks Redis for versions while the database works, and
 * stores its answer. A write has a transaction of its own, runs the triggers that see
 * outside writers, and tells Redis before COMMIT. Nothing is understood, compared or invalidated.
 */
import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { cacheInvalidation, queryCache } from './built-service.js';
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

const { CacheTriggers } = await cacheInvalidation();
const { CacheRegion } = await queryCache();

CacheRegion<User>('region')(User);

interface Client {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

const redis = new Redis(redisAddress());
const VERSIONS = ['epoch', 'version'];

@Controller('users')
class UsersController {
  constructor(private readonly source: DataSource) {}

  @Get()
  async list(@Query() query: PageQuery): Promise<UserSummary[]> {
    const [users] = await Promise.all([
      usersPage(this.source, query).getMany(),
      redis.mget(VERSIONS),
    ]);
    const answer = summaries(users);
    void redis.set(`page:${JSON.stringify(query)}`, JSON.stringify(answer), 'PX', TTL_MS);
    return answer;
  }

  @Patch(':id')
  async change(
    @Param('id') id: string,
    @Body() changes: Partial<User>,
  ): Promise<UserDetails | undefined> {
    const runner = this.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as Client;
      const [text, values] = this.source
        .createQueryBuilder(runner)
        .update(User)
        .set(changes)
        .where('id = :id', { id: Number(id) })
        .returning(['id', 'username', 'region', 'email'])
        .getQueryAndParameters();
      await client.query('START TRANSACTION');
      const { rows } = await client.query(text, values);
      await redis.mget(VERSIONS);
      await client.query('COMMIT');
      return rows[0] as UserDetails | undefined;
    } finally {
      await runner.release();
    }
  }
}

await serve({ imports: [databaseModule()], controllers: [UsersController] }, async (app) => {
  await new CacheTriggers(app.get(DataSource), 'tidemark').install();
});
