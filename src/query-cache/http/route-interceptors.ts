/** The interceptors that Nest runs around a handler. */
import type { NestInterceptor } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import { isLeavingBody } from './leaves-body.decorator.js';

/** Where `@UseInterceptors` keeps classes and instances: on the method and on the controller. */
const INTERCEPTORS_METADATA = '__interceptors__';

type Interceptor = Function | NestInterceptor | null;

export interface RouteInterceptor {
  /** Its class; for a global one that is scoped to a request: what makes it. */
  readonly type: Function;
  readonly leavesBody: boolean;
}

export class RouteInterceptors {
  constructor(
    private readonly application: Pick<
      ApplicationConfig,
      'getGlobalInterceptors' | 'getGlobalRequestInterceptors'
    >,
  ) {}

  /** In the order in which Nest runs them: the outermost first. */
  of(controller: Function, method: Function): readonly RouteInterceptor[] {
    const scoped = this.application.getGlobalRequestInterceptors().map(({ metatype }) => metatype);
    const global = [...this.application.getGlobalInterceptors(), ...scoped];
    return [...global.map(described), ...this.on(controller), ...this.on(method)];
  }

  /** Those that `@UseInterceptors` names on the controller or the method. */
  on(target: Function): readonly RouteInterceptor[] {
    const named: unknown = Reflect.getMetadata(INTERCEPTORS_METADATA, target);
    return ((named ?? []) as readonly Interceptor[]).map(described);
  }
}

function described(interceptor: Interceptor): RouteInterceptor {
  const type = typeof interceptor === 'function' ? interceptor : (interceptor ?? {}).constructor;
  return { type, leavesBody: isLeavingBody(type) };
}
