/**
 * Bentocache with memory, Redis and a bus, as its documentation has it for more than one instance. A write
 * deletes the keys of the answers that the application knows to hold the user.
 * https://bentocache.dev/docs/multi-tier
 */
import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import { redisAddress, TTL_MS } from './settings.js';
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

const connection = redisAddress();
const bento = new BentoCache({
  default: 'users',
  ttl: TTL_MS,
  stores: {
    users: bentostore()
      .useL1Layer(memoryDriver({ maxSize: '64mb' }))
      .useL2Layer(redisDriver({ connection }))
      .useBus(redisBusDriver({ connection })),
  },
});

@Controller('users')
class UsersController {
  constructor(private readonly source: DataSource) {}

  @Get()
  list(@Query() query: PageQuery): Promise<UserSummary[]> {
    return bento.getOrSet({
      key: keyOf(query),
      factory: async () => summaries(await usersPage(this.source, query).getMany()),
    });
  }

  @Patch(':id')
  async change(
    @Param('id') id: string,
    @Body() changes: Partial<User>,
  ): Promise<UserDetails | undefined> {
    const user = await changeUser(this.source, Number(id), changes);
    if (user) await bento.deleteMany({ keys: keptPages(user).map(keyOf) });
    return user;
  }
}

function keyOf(query: PageQuery): string {
  return `users:${JSON.stringify(query)}`;
}

await serve({ imports: [databaseModule()], controllers: [UsersController] });
