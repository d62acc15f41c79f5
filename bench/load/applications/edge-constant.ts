/**
 * A Nest handler that returns one Buffer, behind all that the service puts around every request but
 * its cache: request ids, security headers, measurements, log, error handling. What a hit costs more
 * than this is the cache's own.
 */
import 'reflect-metadata';
import { Controller, Get, Header, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { builtModule } from './built-service.js';
import { constantBody, JSON_TYPE } from './constant-body.js';
import { settings } from './settings.js';

const { host, port, rows } = settings();
const body = constantBody(rows);

@Controller('users')
class UsersController {
  @Get()
  @Header('content-type', JSON_TYPE)
  list(): Buffer {
    return body;
  }
}

@Module({
  controllers: [UsersController],
  providers: [{ provide: Registry, useValue: new Registry() }],
})
class ConstantModule {}

const { configureApp } = await builtModule<typeof import('../../../src/app.js')>('app.js');
const { createHttpAdapter } =
  await builtModule<typeof import('../../../src/http/http-adapter.js')>('http/http-adapter.js');
const { ServiceLog } =
  await builtModule<typeof import('../../../src/logging/service-log.js')>('logging/service-log.js');

const log = new ServiceLog('warn');
const app = await NestFactory.create<NestFastifyApplication>(ConstantModule, createHttpAdapter(), {
  logger: log,
  bodyParser: false,
});
configureApp(app, log);
await app.listen(port, host);
