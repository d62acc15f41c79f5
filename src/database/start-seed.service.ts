import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { lines, progressBar } from './progress-bar.js';
import { hasUsers, seedUsers } from './seed.js';

/** Fills an empty table at start, before the service listens. */
@Injectable()
export class StartSeed implements OnApplicationBootstrap {
  readonly #log = new Logger('Seed');

  constructor(
    private readonly source: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { seedUsers: total } = this.config;
    if (total === 0 || (await hasUsers(this.source))) return;
    const label = 'Filling in users';
    const progress = process.stdout.isTTY
      ? progressBar(label, process.stdout)
      : lines(label, (line) => this.#log.log(line));
    await seedUsers(this.source, total, progress);
  }
}
