/**
 * Bentocache with memory, Redis and a bus, as its documentation has it for more than one instance.
 * https://bentocache.dev/docs/multi-tier
 */
import { Controller, Get, Query } from '@nestjs/common';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import { redisAddress, TTL_MS } from './settings.js';
import { databaseModule, summaries, usersPage, type PageQuery, type UserSummary } from './users.js';

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
      key: `users:${JSON.stringify(query)}`,
      factory: async () => summaries(await usersPage(this.source, query).getMany()),
    });
  }
}

await serve({ imports: [databaseModule()], controllers: [UsersController] });
