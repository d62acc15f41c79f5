import { Module, type DynamicModule } from '@nestjs/common';
import { CacheInvalidationModule, QueryCacheModule } from '@tidemark/nestjs';
import { CachePageModule } from '@tidemark/nestjs/page';
import { ConfigModule } from './config/config.module.js';
import type { Config } from './config/config.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { UsersModule } from './users/users.module.js';

/** The whole service: one import for each feature. */
@Module({})
export class AppModule {
  /** @param config must name a database. */
  static forRoot(config: Config): DynamicModule {
    const { cacheMode: mode } = config;
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        DatabaseModule.forRoot(config),
        QueryCacheModule.forRoot({
          ...(mode === 'off' ? { enabled: false } : { mode }),
          namespace: config.cacheNamespace,
          release: config.cacheRelease,
          ttlMs: config.cacheTtlMs,
          ttlJitter: config.cacheTtlJitter,
          maxStalenessMs: config.cacheMaxStalenessMs,
          l1Bytes: config.cacheL1Bytes,
          verifyPlans: config.cacheVerifyPlans,
          audit: config.cacheAudit,
          entrySecret: config.cacheEntrySecrets,
          redis: redisOf(config),
        }),
        CacheInvalidationModule.forRoot({ writePolicy: config.cacheWritePolicy }),
        CachePageModule.forRoot({
          token: config.cacheAdminToken,
          allowActions: config.cacheAdminActions,
        }),
        UsersModule,
        HealthModule,
        MetricsModule.forRoot(),
      ],
    };
  }
}

function redisOf(config: Config) {
  const { redisUrl: url, redisTls: tls, redisTimeoutMs: timeoutMs } = config;
  const { redisSentinels: sentinels, redisCluster: cluster } = config;
  if (sentinels) return { ...sentinels, tls, timeoutMs };
  if (cluster) return { ...cluster, tls, timeoutMs };
  return url === undefined ? undefined : { url, tls, timeoutMs };
}
