import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { BoundsModule } from './bounds.module.js';
import { DriverBounds } from './bounded-driver.js';
import { connect } from './connect.js';
import { dataSourceOptions } from './data-source.js';
import { DatabaseStart } from './database-start.service.js';

/** The data source of the service: connected, migrated, and filled in where that was asked for. */
@Module({
  imports: [
    BoundsModule,
    TypeOrmModule.forRootAsync({
      imports: [BoundsModule],
      inject: [CONFIG, DriverBounds],
      useFactory: ({ databaseUrl, databasePool }: Config, bounds: DriverBounds) => {
        if (databaseUrl === undefined)
          throw new Error('No database URL: start the database first.');
        return {
          ...dataSourceOptions({ url: databaseUrl, poolSize: databasePool, bounds }),
          autoLoadEntities: true,
          retryAttempts: 0,
        };
      },
      dataSourceFactory: openDataSource,
    }),
  ],
  providers: [DatabaseStart],
})
export class DatabaseModule {}

async function openDataSource(options?: DataSourceOptions): Promise<DataSource> {
  if (options === undefined) throw new Error('The data source has no options.');
  return connect(new DataSource(options));
}
