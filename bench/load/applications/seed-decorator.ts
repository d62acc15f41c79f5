/** A decorator as written by hand in many services: get, parse; else load, stringify, set. */
import { Controller, Get, Query } from '@nestjs/common';
import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { serve } from './serve.js';
import { setting, TTL_MS } from './settings.js';
import { databaseModule, summaries, usersPage, type PageQuery, type UserSummary } from './users.js';

interface HasRedis {
  readonly redis: Redis;
}
type Load = (query: PageQuery) => Promise<UserSummary[]>;

function Cached(name: string, ttlMs: number) {
  return (_: HasRedis, __: string, descriptor: TypedPropertyDescriptor<Load>): void => {
    const load = descriptor.value;
    if (!load) throw new Error('Only methods can be cached');
    descriptor.value = async function cached(this: HasRedis, query: PageQuery) {
      const key = `${name}:${JSON.stringify(query)}`;
      const kept = await this.redis.get(key);
      if (kept !== null) return JSON.parse(kept) as UserSummary[];
      const answer = await load.call(this, query);
      await this.redis.set(key, JSON.stringify(answer), 'PX', ttlMs);
      return answer;
    };
  };
}

@Controller('users')
class UsersController {
  readonly redis = new Redis(setting('REDIS_URL'));

  constructor(private readonly source: DataSource) {}

  @Get()
  @Cached('users', TTL_MS)
  async list(@Query() query: PageQuery): Promise<UserSummary[]> {
    return summaries(await usersPage(this.source, query).getMany());
  }
}

await serve({ imports: [databaseModule()], controllers: [UsersController] });
