/**
 * The interceptor of @nestjs/cache-manager, which keeps answers by their URL: in memory, or with
 * BENCH_STORE=redis in Redis. A write deletes the keys of the
 * answers that the application knows to hold the user. https://docs.nestjs.com/techniques/caching
 */
import KeyvRedis from '@keyv/redis';
import { CACHE_MANAGER, CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import {
  Body,
  Controller,
  Get,
  Inject,
  Param,
  Patch,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import type { Cache } from 'cache-manager';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import { setting, TTL_MS } from './settings.js';
import {
  changeUser,
  databaseModule,
  keptPages,
  summaries,
  usersPage,
  type PageQuery,
  type User,
  type UserDetails,
  type UserSummary,
} from './users.js';

@Controller('users')
@UseInterceptors(CacheInterceptor)
class UsersController {
  constructor(
    private readonly source: DataSource,
    @Inject(CACHE_MANAGER) private readonly cache: Cache,
  ) {}

  @Get()
  async list(@Query() query: PageQuery): Promise<UserSummary[]> {
    return summaries(await usersPage(this.source, query).getMany());
  }

  @Patch(':id')
  async change(
    @Param('id') id: string,
    @Body() changes: Partial<User>,
  ): Promise<UserDetails | undefined> {
    const user = await changeUser(this.source, Number(id), changes);
    if (user) await this.cache.mdel(keptPages(user).map(urlOf));
    return user;
  }
}

function urlOf(page: PageQuery): string {
  return `/users?${new URLSearchParams({ ...page }).toString()}`;
}

const isShared = process.env['BENCH_STORE'] === 'redis';
const store = isShared ? { stores: [new KeyvRedis(setting('REDIS_URL'))] } : {};

await serve({
  imports: [databaseModule(), CacheModule.register({ ttl: TTL_MS, ...store })],
  controllers: [UsersController],
});
