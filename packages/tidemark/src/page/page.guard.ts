import {
  Inject,
  Injectable,
  Scope,
  type CanActivate,
  type ExecutionContext,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ContextIdFactory, ModuleRef, type ContextId } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';

/** The token of the class of the application's guard, or of `undefined`. */
export const GUARD = Symbol('tidemark:page-guard');

/** The metadata key in which `@Injectable()` stores the scope of a class. */
const SCOPE_METADATA = 'scope:options';

/**
 * Asks the guard of the application, if the page has one: as its provider, or made here. A guard that is request-scoped,
 * or depends on what is, is made for each request.
 */
@Injectable()
export class PageGuard implements CanActivate, OnModuleInit {
  /** `undefined`: made for each request. */
  #guard: CanActivate | undefined;
  #isProvided = false;

  constructor(
    private readonly module: ModuleRef,
    @Inject(GUARD) private readonly type: Type<CanActivate> | undefined,
  ) {}

  async onModuleInit(): Promise<void> {
    if (!this.type) return;
    const scope = this.#scopeOf(this.type);
    this.#isProvided = scope !== undefined;
    if ((scope ?? ownScopeOf(this.type)) === Scope.REQUEST) return;
    try {
      this.#guard = await this.#make(this.type);
    } catch (error) {
      if (!isOfRequests(error)) throw error;
    }
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.type) return true;
    const guard = this.#guard ?? (await this.#makeFor(context, this.type));
    const answer = await guard.canActivate(context);
    // Nest would take a promise of an observable for a yes.
    return isObservable(answer) ? lastValueFrom(answer) : answer;
  }

  /** `undefined`: no module provides the guard. */
  #scopeOf(type: Type<CanActivate>): Scope | undefined {
    try {
      return this.module.introspect(type).scope;
    } catch {
      return undefined;
    }
  }

  #makeFor(context: ExecutionContext, type: Type<CanActivate>): Promise<CanActivate> {
    const request = context.switchToHttp().getRequest<object>();
    const id = ContextIdFactory.getByRequest(request);
    this.module.registerRequestByContextId(request, id);
    return this.#make(type, id);
  }

  #make(type: Type<CanActivate>, id?: ContextId): Promise<CanActivate> {
    return this.#isProvided
      ? this.module.resolve(type, id, { strict: false })
      : this.module.create(type, id);
  }
}

function ownScopeOf(type: Type<CanActivate>): Scope | undefined {
  const options = Reflect.getMetadata(SCOPE_METADATA, type) as { scope?: Scope } | undefined;
  return options?.scope;
}

/** Nest exports no class of the error that says that a dependency is request-scoped. */
function isOfRequests(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'RequestScopedCreateException';
}
