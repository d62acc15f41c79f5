/**
 * The built modules in an application of one's own that uses `CacheInterceptor`, behind the service's edge:
 * what a hit costs where Nest runs an interceptor for it.
 */
import 'reflect-metadata';
import { Controller, Get, Module, Query, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Registry } from 'prom-client';
import type { ListUsersQuery } from '../../../src/users/users.schemas.js';
import { builtModule, library } from './built-service.js';
import { POOL_SIZE, setting, settings, TTL_MS } from './settings.js';

const { configureApp } = await builtModule<typeof import('../../../src/app.js')>('app.js');
const { createHttpAdapter } =
  await builtModule<typeof import('../../../src/http/http-adapter.js')>('http/http-adapter.js');
const { ServiceLog } =
  await builtModule<typeof import('../../../src/logging/service-log.js')>('logging/service-log.js');
const { CacheInterceptor, CacheInvalidationModule, QueryCacheModule } = await library();
const { User } =
  await builtModule<typeof import('../../../src/users/user.entity.js')>('users/user.entity.js');
const { usersPage } =
  await builtModule<typeof import('../../../src/users/users.queries.js')>('users/users.queries.js');
const { listUsersQuery } =
  await builtModule<typeof import('../../../src/users/users.schemas.js')>('users/users.schemas.js');

@Controller('users')
@UseInterceptors(CacheInterceptor)
class UsersController {
  @Get()
  list(@Query({ schema: listUsersQuery }) query: ListUsersQuery): unknown {
    return usersPage.bind(query);
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: setting('DATABASE_URL'),
      entities: [User],
      poolSize: POOL_SIZE,
      retryAttempts: 0,
    }),
    QueryCacheModule.forRoot({ redis: { url: setting('REDIS_URL') }, ttlMs: TTL_MS }),
    CacheInvalidationModule.forRoot(),
  ],
  controllers: [UsersController],
  providers: [{ provide: Registry, useValue: new Registry() }],
})
class InterceptedModule {}

const log = new ServiceLog('warn');
const app = await NestFactory.create<NestFastifyApplication>(
  InterceptedModule,
  createHttpAdapter(),
  { logger: log, bodyParser: false },
);
configureApp(app, log);
const { host, port } = settings();
await app.listen(port, host);
