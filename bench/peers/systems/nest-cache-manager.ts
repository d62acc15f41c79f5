/**
 * @nestjs/cache-manager over Redis: a service gets and sets by key, and deletes the keys after a
 * write. https://docs.nestjs.com/techniques/caching
 *
 * The documentation also shows a memory store before the Redis one. It is left out: nothing notifies
 * other instances' memory of a deletion.
 */
import KeyvRedis from '@keyv/redis';
import { CACHE_MANAGER, CacheModule } from '@nestjs/cache-manager';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Cache } from 'cache-manager';
import { DataSource, type EntityManager } from 'typeorm';
import { Note, User } from '../fixtures/entities.js';
import { answerText, QUERIES, type QueryName } from '../fixtures/queries.js';
import { TTL_MS, type PeerCache, type PeerSystem, type Servers } from './peer-cache.js';

export const nestCacheManager: PeerSystem = {
  id: 'nest-cache-manager',
  title: '@nestjs/cache-manager',
  keptIn: 'redis',
  invalidatesByItself: false,
  validityKeys: [],
  staleOption: undefined,
  start: (servers) => NestCacheManager.start(servers),
};

class NestCacheManager implements PeerCache {
  private constructor(
    private readonly context: INestApplicationContext,
    readonly source: DataSource,
    private readonly cache: Cache,
  ) {}

  static async start({ databaseUrl, redisUrl }: Servers): Promise<NestCacheManager> {
    class AppModule {}
    const context = await NestFactory.createApplicationContext(
      {
        module: AppModule,
        imports: [
          TypeOrmModule.forRoot({
            type: 'postgres',
            url: databaseUrl,
            entities: [User, Note],
            poolSize: 5,
          }),
          CacheModule.registerAsync({ useFactory: () => ({ stores: [new KeyvRedis(redisUrl)] }) }),
        ],
      },
      { logger: false },
    );
    const cache = context.get<Cache>(CACHE_MANAGER);
    for (const store of cache.stores) store.on('error', () => undefined);
    return new NestCacheManager(context, context.get(DataSource), cache);
  }

  read(query: QueryName): Promise<string> {
    return this.readIn(this.source.manager, query);
  }

  async readIn(manager: EntityManager, query: QueryName): Promise<string> {
    const cached = await this.cache.get(query);
    if (cached !== undefined) return answerText(cached);
    const rows = await QUERIES[query].build(manager).getMany();
    await this.cache.set(query, rows, TTL_MS);
    return answerText(rows);
  }

  async invalidate(queries: readonly QueryName[]): Promise<void> {
    for (const query of queries) await this.cache.del(query);
  }

  stop(): Promise<void> {
    return this.context.close();
  }
}
