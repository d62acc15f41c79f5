/** How the parts that answer HTTP requests are put together. */
import type { FactoryProvider } from '@nestjs/common';
import { ApplicationConfig, ModuleRef, ModulesContainer, Reflector } from '@nestjs/core';
import { CacheReader } from '../cache-reader.js';
import { FastifyBodies } from './fastify-body.js';
import { HttpAnswers } from './http-answers.js';
import { InterceptorOrder } from './interceptor-order.js';
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
    inject: [CacheReader, Reflector, RouteInterceptors],
    useFactory: (reader: CacheReader, reflector: Reflector, interceptors: RouteInterceptors) =>
      new HttpAnswers(reader, new Routes(reflector, interceptors), new FastifyBodies()),
  },
  {
    provide: InterceptorOrder,
    inject: [ModulesContainer, RouteInterceptors],
    useFactory: (modules: ModulesContainer, interceptors: RouteInterceptors) =>
      new InterceptorOrder(modules, interceptors),
  },
];
