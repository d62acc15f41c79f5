import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TriggerKeeper } from '@tidemark/nestjs';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { DriverBounds } from './bounded-driver.js';
import { migrate } from './migrate.js';
import { progressBar } from './progress-bar.js';
import { hasUsers, seedUsers } from './seed.js';

/**
 * Migrates the schema and seeds an empty table before the service listens. It runs after all modules are initialised:
 * other instances may already answer from their caches, and must receive these writes.
 */
@Injectable()
export class DatabaseStart implements OnApplicationBootstrap {
  constructor(
    private readonly source: DataSource,
    private readonly bounds: DriverBounds,
    private readonly triggers: TriggerKeeper,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const log = new Logger('Database');
    for (const name of await migrate(this.source)) log.log(`Ran migration ${name}`);
    // The triggers for the tables that the migrations have created.
    await this.triggers.check();
    const { seedUsers: total, databaseTimeoutMs } = this.config;
    if (total > 0 && !(await hasUsers(this.source))) {
      const seedLog = new Logger('Seed');
      const progress = progressBar('Filling in users', process.stdout, (line) => seedLog.log(line));
      await seedUsers(this.source, total, progress);
    }
    // Requests arrive from here on.
    this.bounds.statementTimeoutMs = databaseTimeoutMs;
  }
}
