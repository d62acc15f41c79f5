/**
 * The built modules in the application of the peers: nothing validated, no edge, the same statements. What it
 * differs by from no cache is what the cache costs.
 */
import { Body, Controller, Get, Param, Patch, Put, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { library } from './built-service.js';
import { serve } from './serve.js';
import { setting, TTL_MS } from './settings.js';
import {
  changeUser,
  databaseModule,
  saveUser,
  User,
  usersPage,
  type PageQuery,
  type UserDetails,
  type UserSummary,
} from './users.js';

const { CacheInvalidationModule, CacheQuery, CacheRegion, defineQuery, QueryCacheModule } =
  await library();

const NAMESPACE = 'tidemark';

CacheRegion<User>('region')(User);

const page = defineQuery({
  name: 'users.page',
  build: usersPage,
  map: ({ id, username }: User): UserSummary => ({ id, username }),
});

@Controller('users')
class UsersController {
  constructor(private readonly source: DataSource) {}

  @Get()
  @CacheQuery()
  list(@Query() query: PageQuery) {
    return page.bind(query);
  }

  @Patch(':id')
  change(
    @Param('id') id: string,
    @Body() changes: Partial<User>,
  ): Promise<UserDetails | undefined> {
    return changeUser(this.source, Number(id), changes);
  }

  @Put(':id/email')
  save(@Param('id') id: string): Promise<UserDetails> {
    return saveUser(this.source, Number(id));
  }
}

await serve({
  imports: [
    databaseModule(),
    QueryCacheModule.forRoot({
      namespace: NAMESPACE,
      redis: { url: setting('REDIS_URL') },
      ttlMs: TTL_MS,
    }),
    CacheInvalidationModule.forRoot(),
  ],
  controllers: [UsersController],
});
