import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TriggerKeeper } from '../cache-invalidation/index.js';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { DriverBounds } from './bounded-driver.js';
import { migrate } from './migrate.js';
import { lines, progressBar } from './progress-bar.js';
import { hasUsers, seedUsers } from './seed.js';

/**
 * Brings the schema up to date and fills an empty table, before the service listens. It waits
 * until all modules are initialised: other instances may be serving answers from their caches
 * already, and what is written here must be announced to them as any other write.
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
    // On the tables that the migrations have made.
    await this.triggers.look();
    await this.#seed(new Logger('Seed'));
    // Requests come from here on.
    this.bounds.statementTimeoutMs = this.config.databaseTimeoutMs;
  }

  async #seed(log: Logger): Promise<void> {
    const { seedUsers: total } = this.config;
    if (total === 0 || (await hasUsers(this.source))) return;
    const label = 'Filling in users';
    const progress = process.stdout.isTTY
      ? progressBar(label, process.stdout)
      : lines(label, (line) => log.log(line));
    await seedUsers(this.source, total, progress);
  }
}
