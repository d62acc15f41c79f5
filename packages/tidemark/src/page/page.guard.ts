import {
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { firstValueFrom, isObservable } from 'rxjs';

/** The token of the class of the application's guard, or of `undefined`. */
export const GUARD = Symbol('tidemark:page-guard');

/** Asks the guard of the application, if the page has one: as its provider, or made here. */
@Injectable()
export class PageGuard implements CanActivate {
  #guard: Promise<CanActivate> | undefined;

  constructor(
    private readonly module: ModuleRef,
    @Inject(GUARD) private readonly type: Type<CanActivate> | undefined,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.type) return true;
    this.#guard ??= this.#find(this.type);
    const admitted = (await this.#guard).canActivate(context);
    return isObservable(admitted) ? firstValueFrom(admitted) : admitted;
  }

  async #find(type: Type<CanActivate>): Promise<CanActivate> {
    try {
      const own: CanActivate = this.module.get(type, { strict: false });
      return own;
    } catch {
      return this.module.create(type);
    }
  }
}
