import {
  ConfigurableModuleBuilder,
  Module,
  type CanActivate,
  type DynamicModule,
  type NestModule,
  type Provider,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost, ModuleRef, RouterModule } from '@nestjs/core';
import { nameRoutes } from '../nestjs/http/route-origins.js';
import { QueryCaches } from '../nestjs/query-caches.js';
import { QueryCachesModule } from '../nestjs/query-caches.module.js';
import { WriteOrigins } from '../nestjs/write-origins.js';
import { CachePage } from './cache-page.js';
import { checkOptions, type CachePageModuleOptions } from './page-options.js';
import { PageApiController, PageController } from './page.controllers.js';
import { GUARD } from './page.guard.js';
import { PageSources } from './page-sources.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<CachePageModuleOptions>({ moduleName: 'CachePage' })
    .setClassMethodName('forRoot')
    .setExtras(
      {
        /** Below the global prefix of the application. */
        path: 'tidemark',
        /** Opens the page to the requests that it admits; beside a token, both are needed. */
        guard: undefined as Type<CanActivate> | undefined,
      },
      (definition, { path, guard }) => ({
        ...definition,
        imports: [
          ...(definition.imports ?? []),
          RouterModule.register([{ path, module: definition.module }]),
        ],
        providers: [...(definition.providers ?? []), ...providersOf(path, guard)],
      }),
    )
    .build();

function providersOf(path: string, guard: Type<CanActivate> | undefined): Provider[] {
  return [
    { provide: GUARD, useValue: guard },
    {
      provide: CachePage,
      inject: [MODULE_OPTIONS_TOKEN, QueryCaches, ModuleRef],
      useFactory: (options: CachePageModuleOptions, caches: QueryCaches, module: ModuleRef) => {
        checkOptions(path, options);
        const { token, allowActions = false } = options;
        const sources = () => new PageSources(caches.names, module);
        return new CachePage({ token, isGuarded: guard !== undefined, allowActions, sources });
      },
    },
  ];
}

/** Nest gives two pages one path, so that one would be open to the token of the other. */
function requireOnly(module: ModuleRef): void {
  if (module.get(CachePage, { strict: false, each: true }).length === 1) return;
  throw new Error(
    'CachePageModule is imported twice, with separate options: import it once, it shows all caches.',
  );
}

/**
 * A page that shows the caches of the application and what they do, with its API, on Express and Fastify. It is closed
 * without a token and without a guard.
 */
@Module({
  imports: [QueryCachesModule],
  // The API first: Express takes the first route that matches.
  controllers: [PageApiController, PageController],
  exports: [CachePage],
})
export class CachePageModule extends ConfigurableModuleClass implements NestModule {
  constructor(
    private readonly module: ModuleRef,
    private readonly host: HttpAdapterHost,
    private readonly origins: WriteOrigins,
    private readonly page: CachePage,
  ) {
    super();
  }

  /** Called before Nest binds the routes. */
  configure(): void {
    requireOnly(this.module);
    if (this.page.isOpen) nameRoutes(this.host.httpAdapter, this.origins);
  }

  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
