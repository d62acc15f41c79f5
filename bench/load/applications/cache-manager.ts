/**
 * The interceptor of @nestjs/cache-manager, which keeps answers by their URL: in memory, or with
 * BENCH_STORE=redis in Redis. https://docs.nestjs.com/techniques/caching
 */
import KeyvRedis from '@keyv/redis';
import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { Controller, Get, Query, UseInterceptors } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import { setting, TTL_MS } from './settings.js';
import { databaseModule, summaries, usersPage, type PageQuery, type UserSummary } from './users.js';

@Controller('users')
@UseInterceptors(CacheInterceptor)
class UsersController {
  constructor(private readonly source: DataSource) {}

  @Get()
  async list(@Query() query: PageQuery): Promise<UserSummary[]> {
    return summaries(await usersPage(this.source, query).getMany());
  }
}

const isShared = process.env['BENCH_STORE'] === 'redis';
const store = isShared ? { stores: [new KeyvRedis(setting('REDIS_URL'))] } : {};

await serve({
  imports: [databaseModule(), CacheModule.register({ ttl: TTL_MS, ...store })],
  controllers: [UsersController],
});
