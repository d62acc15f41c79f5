/** How the parts that answer HTTP requests are put together. */
import type { FactoryProvider } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { CacheReader } from '../cache-reader.js';
import { FastifyBodies } from './fastify-body.js';
import { HttpAnswers } from './http-answers.js';
import { InterceptorOrder } from './interceptor-order.js';
import { QueryReplies } from './query-replies.js';
import { RouteInterceptors } from './route-interceptors.js';
import { Routes } from './routes.js';

export const httpProviders: FactoryProvider[] = [
  {
    provide: RouteInterceptors,
    inject: [ModuleRef],
    // Nest gives its record of global interceptors to no provider.
    useFactory: (moduleRef: ModuleRef) =>
      new RouteInterceptors(moduleRef['container'].applicationConfig ?? new ApplicationConfig()),
  },
  {
    provide: HttpAnswers,
    inject: [CacheReader, RouteInterceptors],
    useFactory: (reader: CacheReader, interceptors: RouteInterceptors) =>
      new HttpAnswers(reader, new Routes(interceptors), new FastifyBodies()),
  },
  {
    provide: QueryReplies,
    inject: [HttpAdapterHost, HttpAnswers],
    useFactory: (host: HttpAdapterHost, answers: HttpAnswers) => new QueryReplies(host, answers),
  },
  {
    provide: InterceptorOrder,
    inject: [ModulesContainer, RouteInterceptors],
    useFactory: (modules: ModulesContainer, interceptors: RouteInterceptors) =>
      new InterceptorOrder(modules, interceptors),
  },
];
