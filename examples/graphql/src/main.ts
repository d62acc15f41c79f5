import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';

// At shutdown, clients that keep an idle connection are not waited for.
const adapter = new FastifyAdapter({ forceCloseConnections: 'idle' });
const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter);
app.connectMicroservice({
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port: Number(process.env.TCP_PORT ?? 3001) },
});
app.enableShutdownHooks();
await app.startAllMicroservices();
await app.listen(process.env.PORT ?? 3000, '127.0.0.1');
