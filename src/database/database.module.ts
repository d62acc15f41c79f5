import { Logger, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { connect } from './connect.js';
import { dataSourceOptions } from './data-source.js';
import { migrate } from './migrate.js';
import { StartSeed } from './start-seed.service.js';

/** The data source of the service: connected, migrated, and filled in where that was asked for. */
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: ({ databaseUrl, databasePool }: Config) => {
        if (databaseUrl === undefined)
          throw new Error('No database URL: start the database first.');
        return {
          ...dataSourceOptions({ url: databaseUrl, poolSize: databasePool }),
          autoLoadEntities: true,
          retryAttempts: 0,
        };
      },
      dataSourceFactory: openDataSource,
    }),
  ],
  providers: [StartSeed],
})
export class DatabaseModule {}

async function openDataSource(options?: DataSourceOptions): Promise<DataSource> {
  if (options === undefined) throw new Error('The data source has no options.');
  const log = new Logger('Database');
  const source = await connect(new DataSource(options), log);
  try {
    for (const name of await migrate(source)) log.log(`Ran migration ${name}`);
  } catch (error) {
    await source.destroy();
    throw error;
  }
  return source;
}
