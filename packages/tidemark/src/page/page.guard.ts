import {
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

/** The token of the class of the application's guard, or of `undefined`. */
export const GUARD = Symbol('tidemark:page-guard');

/** Asks the guard of the application, if the page has one: as its provider, or made here. */
@Injectable()
export class PageGuard implements CanActivate, OnModuleInit {
  #guard: CanActivate | undefined;

  constructor(
    private readonly module: ModuleRef,
    @Inject(GUARD) private readonly type: Type<CanActivate> | undefined,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.type) this.#guard = await this.#find(this.type);
  }

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    return !this.type || (this.#guard?.canActivate(context) ?? false);
  }

  async #find(type: Type<CanActivate>): Promise<CanActivate> {
    let own: CanActivate;
    try {
      own = this.module.get(type, { strict: false });
    } catch {
      own = await this.module.create(type);
    }
    return own;
  }
}
