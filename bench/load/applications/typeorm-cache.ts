/** TypeORM's own cache in Redis. https://typeorm.io/docs/query-builder/caching */
import { Controller, Get, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import { redisAddress, TTL_MS } from './settings.js';
import { databaseModule, summaries, usersPage, type PageQuery, type UserSummary } from './users.js';

@Controller('users')
class UsersController {
  constructor(private readonly source: DataSource) {}

  @Get()
  async list(@Query() query: PageQuery): Promise<UserSummary[]> {
    return summaries(await usersPage(this.source, query).cache(TTL_MS).getMany());
  }
}

await serve({
  imports: [databaseModule({ type: 'ioredis', options: redisAddress() })],
  controllers: [UsersController],
});
