/**
 * TypeORM's own cache: every cached query has an id, and the ids are removed after a write.
 * https://typeorm.io/docs/query-builder/caching
 */
import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import { Note, User } from '../fixtures/entities.js';
import { answerText, QUERIES, type QueryName } from '../fixtures/queries.js';
import { TTL_MS, type PeerCache, type PeerSystem, type Servers } from './peer-cache.js';

type CacheOption = NonNullable<DataSourceOptions['cache']>;

const shared = {
  invalidatesByItself: false,
  validityKeys: [],
  staleOption: undefined,
} as const;

export const typeormDatabaseCache: PeerSystem = {
  ...shared,
  id: 'typeorm-database',
  title: 'TypeORM cache (table)',
  keptIn: 'database',
  start: (servers) => TypeormCache.start(servers, { type: 'database' }),
};

export const typeormRedisCache: PeerSystem = {
  ...shared,
  id: 'typeorm-redis',
  title: 'TypeORM cache (Redis)',
  keptIn: 'redis',
  start: (servers) => {
    const { hostname: host, port } = new URL(servers.redisUrl);
    return TypeormCache.start(servers, { type: 'ioredis', options: { host, port: Number(port) } });
  },
};

class TypeormCache implements PeerCache {
  private constructor(readonly source: DataSource) {}

  static async start({ databaseUrl }: Servers, cache: CacheOption): Promise<TypeormCache> {
    const source = new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: [User, Note],
      poolSize: 5,
      cache,
    });
    await source.initialize();
    const results = source.queryResultCache as { client?: { on(e: 'error', f: () => void): void } };
    results.client?.on('error', () => undefined);
    const runner = source.createQueryRunner();
    try {
      await source.queryResultCache?.synchronize(runner);
    } finally {
      await runner.release();
    }
    return new TypeormCache(source);
  }

  read(query: QueryName): Promise<string> {
    return this.readIn(this.source.manager, query);
  }

  async readIn(manager: EntityManager, query: QueryName): Promise<string> {
    return answerText(await QUERIES[query].build(manager).cache(query, TTL_MS).getMany());
  }

  async invalidate(queries: readonly QueryName[]): Promise<void> {
    if (queries.length > 0) await this.source.queryResultCache?.remove([...queries]);
  }

  stop(): Promise<void> {
    return this.source.destroy();
  }
}
