import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { DriverBounds } from './database/bounded-driver.js';
import { Admission } from './http/admission.js';
import { BusyLog } from './http/busy-log.js';
import { Drain } from './http/drain.js';
import { createHttpAdapter, setEdgeHeaders } from './http/http-adapter.js';
import { serveDocs } from './http/docs.js';
import { ProblemFilter } from './http/problem.filter.js';
import { headRefusalOf, limitRequests } from './http/request-check.js';
import { logRequests } from './http/request-log.js';
import { RouteTable } from './http/route-table.js';
import { ValidationPipe } from './http/validation.pipe.js';
import { ServiceLog } from './logging/service-log.js';
import { measureRequests } from './metrics/http-metrics.js';

/**
 * Creates the service: connected, but neither initialised nor migrated; `init` or `listen` does both.
 * @param config must name a database.
 * @throws DatabaseError if no database is available.
 */
export async function createApp(
  config: Config,
  log = new ServiceLog(config.logLevel),
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config),
    createHttpAdapter(),
    // Fastify itself parses bodies, and only JSON.
    { logger: log, abortOnError: false, bodyParser: false },
  );
  configureApp(app, log, app.get(DriverBounds));
  app.get(Drain).follow(app.getHttpServer());
  return app;
}

/**
 * Configures an application on {@link createHttpAdapter}: validation, problem documents, headers, request ids, metrics
 * and docs. Call before `init`.
 */
export function configureApp(
  app: NestFastifyApplication,
  log: ServiceLog,
  bounds = new DriverBounds(),
): void {
  const server = app.getHttpAdapter().getInstance();
  const busyLog = new BusyLog(log);
  const routes = new RouteTable(server);
  measureRequests(server, app.get(Registry));
  logRequests(server, log);
  limitRequests(server);
  server.addHook('onRequest', (request, reply, done) => {
    setEdgeHeaders(request, reply);
    done(headRefusalOf(request.raw));
  });
  new Admission(bounds, busyLog).addTo(server);
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter(log, busyLog, routes));
  serveDocs(app);
}
