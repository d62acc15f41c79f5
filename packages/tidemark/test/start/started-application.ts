/** Applications as adopters write them: the two modules beside TypeOrmModule, and nothing else. */
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Column, DataSource, Entity, PrimaryColumn, type DataSourceOptions } from 'typeorm';
import {
  CacheInvalidationModule,
  type CacheInvalidationModuleOptions,
  defineQuery,
  QueryCache,
  QueryCacheModule,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { StatementCounter } from '../support/statement-counter.js';

@Entity('parts')
export class Part {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

/** The names of all parts, in the order of their ids. */
export const parts = defineQuery({
  name: 'parts',
  build: (source, _: Record<string, never>) =>
    source.getRepository(Part).createQueryBuilder('p').orderBy('p.id'),
  map: ({ name }: Part) => name,
}).bind({});

export interface StartOptions {
  readonly databaseUrl: string;
  readonly source?: Partial<DataSourceOptions> & Pick<TypeOrmModuleOptions, 'manualInitialization'>;
  readonly dataSourceFactory?: (options: DataSourceOptions) => Promise<DataSource>;
  readonly cache?: QueryCacheModuleOptions;
  /** Absent: not imported. */
  readonly invalidation?: CacheInvalidationModuleOptions | 'forgotten';
  /** Imported before the cache. */
  readonly before?: readonly (DynamicModule | Type)[];
  readonly isInitialised?: boolean;
}

export interface Seen {
  readonly value: unknown;
  /** `hit`, `miss` or `bypass <reason>`. */
  readonly outcome: string;
}

export class StartedApplication {
  readonly warnings: string[] = [];

  private constructor(
    readonly context: INestApplicationContext,
    readonly source: DataSource,
    private readonly cache: QueryCache,
  ) {}

  static async start(options: StartOptions): Promise<StartedApplication> {
    const { dataSourceFactory, invalidation = {}, before = [], isInitialised = true } = options;
    const warnings: string[] = [];
    const builder = Test.createTestingModule({
      imports: [
        ...before,
        TypeOrmModule.forRootAsync({
          useFactory: () =>
            ({
              type: 'postgres',
              url: options.databaseUrl,
              entities: [Part],
              retryAttempts: 0,
              ...options.source,
            }) as TypeOrmModuleOptions,
          ...(dataSourceFactory && {
            dataSourceFactory: (given) => dataSourceFactory(given as DataSourceOptions),
          }),
        }),
        QueryCacheModule.forRoot(options.cache ?? {}),
        ...(invalidation === 'forgotten' ? [] : [CacheInvalidationModule.forRoot(invalidation)]),
      ],
    });
    const silent = (): void => undefined;
    const warn = (message: unknown): void => void warnings.push(String(message));
    builder.setLogger({ log: silent, error: silent, warn });
    const testing = await builder.compile();
    if (isInitialised) await testing.init();
    const started = new StartedApplication(
      testing,
      testing.get(DataSource),
      testing.get(QueryCache),
    );
    started.warnings.push(...warnings);
    warnings.push = (...lines) => started.warnings.push(...lines);
    return started;
  }

  get<T>(provider: Type<T>): T {
    return this.context.get(provider, { strict: false });
  }

  async read(): Promise<Seen> {
    let outcome = '';
    const { events } = this.cache;
    const onHit = (): void => void (outcome = 'hit');
    const onMiss = (): void => void (outcome = 'miss');
    const onBypass = ({ reason }: { reason: string }): void => void (outcome = `bypass ${reason}`);
    events.on('hit', onHit).on('miss', onMiss).on('bypass', onBypass);
    const sql = StatementCounter.attach(this.source);
    try {
      const value = await this.cache.run(parts);
      // A hit costs the database nothing, and all else one SELECT.
      const selects = sql.selectsFrom('parts').length;
      if (selects !== (outcome === 'hit' ? 0 : 1)) {
        throw new Error(`A ${outcome} has sent ${selects} SELECTs.`);
      }
      return { value, outcome };
    } finally {
      sql.detach();
      events.off('hit', onHit).off('miss', onMiss).off('bypass', onBypass);
    }
  }

  /** Reads until the answer is a hit, and returns it. */
  async warm(): Promise<unknown> {
    return eventually(async () => {
      const { value, outcome } = await this.read();
      if (outcome !== 'hit') throw new Error(`The answer is a ${outcome}.`);
      return value;
    });
  }

  stop(): Promise<void> {
    return this.context.close();
  }
}
