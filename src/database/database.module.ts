import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Config } from '../config/config.js';
import { DriverBounds } from './bounded-driver.js';
import { connect } from './connect.js';
import { dataSourceOptions } from './data-source.js';
import { DatabaseStart } from './database-start.service.js';

/** The data source of the service: connected, migrated, and seeded if configured. */
@Module({})
export class DatabaseModule {
  /** @param config must name a database. */
  static forRoot({ databaseUrl, databasePool, databaseQueue }: Config): DynamicModule {
    if (databaseUrl === undefined) throw new Error('No database URL: start the database first.');
    const bounds = new DriverBounds(databaseQueue);
    return {
      module: DatabaseModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            ...dataSourceOptions({ url: databaseUrl, poolSize: databasePool, bounds }),
            autoLoadEntities: true,
            retryAttempts: 0,
          }),
          dataSourceFactory: openDataSource,
        }),
      ],
      providers: [DatabaseStart, { provide: DriverBounds, useValue: bounds }],
      exports: [DriverBounds],
    };
  }
}

async function openDataSource(options?: DataSourceOptions): Promise<DataSource> {
  if (options === undefined) throw new Error('The data source has no options.');
  return connect(new DataSource(options));
}
