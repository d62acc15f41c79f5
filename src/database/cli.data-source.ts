/** The data source of the service for commands: of `tidemark triggers`, by `npm run cache:triggers`. */
import { DataSource } from 'typeorm';
import { readConfig } from '../config/environment.js';
import { User } from '../users/user.entity.js';
import { connect } from './connect.js';
import { dataSourceOptions } from './data-source.js';
import { openServiceDatabase } from './service-database.js';

const { config, embedded } = await openServiceDatabase(
  readConfig(),
  (line) => void process.stderr.write(`${line}\n`),
);

/** Waits for a database that is starting, and stops the embedded one when the command is done. */
class CommandDataSource extends DataSource {
  /** @throws DatabaseError */
  override async initialize(): Promise<this> {
    try {
      await connect(this, () => super.initialize());
      return this;
    } catch (error) {
      await embedded?.stop();
      throw error;
    }
  }

  override async destroy(): Promise<void> {
    try {
      await super.destroy();
    } finally {
      await embedded?.stop();
    }
  }
}

/** `tidemark triggers` reads it. */
export const namespace = config.cacheNamespace;

export const source = new CommandDataSource({
  ...dataSourceOptions({ url: config.databaseUrl ?? '', poolSize: 2 }),
  entities: [User],
});
