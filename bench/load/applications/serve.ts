import 'reflect-metadata';
import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { settings } from './settings.js';

@Module({})
class ApplicationModule {}

/** Runs a Nest application on Fastify with nothing but what is given, until the process is ended. */
export async function serve(
  parts: ModuleMetadata,
  prepare: (app: NestFastifyApplication) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const module: DynamicModule = { module: ApplicationModule, ...parts };
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: ['error', 'warn'],
  });
  await prepare(app);
  const { host, port } = settings();
  await app.listen(port, host);
}
