import { AsyncLocalStorage } from 'node:async_hooks';
import { defineQuery, QueryCacheModule, CacheTriggers } from '@tidemark/nestjs';
import type { DataSource } from 'typeorm';
import { User } from './user.entity.js';

/** A provider of the application. */
class Settings {
  readonly redisUrl = process.env.REDIS_URL;
}

const tenant = new AsyncLocalStorage<string>();

export const usersOfTenant = defineQuery({
  name: 'users.of-tenant',
  context: () => tenant.getStore(), // plain data
  build: (source, p: { limit: number }) =>
    source
      .getRepository(User)
      .createQueryBuilder('u')
      .where('u.region = :tenant', { tenant: tenant.getStore() })
      .take(p.limit),
});

export const moduleOfRelease = () =>
  QueryCacheModule.forRoot({
    release: process.env.GIT_COMMIT,
    redis: process.env.REDIS_URL,
  });

export const moduleOfConfiguration = () =>
  QueryCacheModule.forRootAsync({
    inject: [Settings],
    useFactory: ({ redisUrl }: Settings) => ({ redis: redisUrl }),
  });

export async function installTriggers(dataSource: DataSource): Promise<void> {
  await new CacheTriggers(dataSource, 'tidemark').install();
}
