/** `npm run seed -- --users N`: inserts users 0 to N-1. */
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { AppModule } from '../app.module.js';
import type { Config } from '../config/config.js';
import { ServiceLog } from '../logging/service-log.js';
import { runCommand } from './command.js';
import { progressBar } from './progress-bar.js';
import { seedUsers } from './seed.js';

const MAX_USERS = 2_147_483_647;
const USAGE = `Usage: npm run seed -- --users N, with N from 1 to ${MAX_USERS}`;

function parseUsers(): number | undefined {
  try {
    const { values } = parseArgs({ options: { users: { type: 'string' } } });
    const users = /^\d{1,10}$/.test(values.users ?? '') ? Number(values.users) : 0;
    return users >= 1 && users <= MAX_USERS ? users : undefined;
  } catch {
    return undefined;
  }
}

async function seed(total: number, config: Config): Promise<number> {
  // The whole application, so that its cache and those of running instances receive the writes.
  const app = await NestFactory.createApplicationContext(
    AppModule.forRoot({ ...config, seedUsers: 0, databaseTimeoutMs: 0 }),
    { logger: new ServiceLog('warn', process.stderr), abortOnError: false },
  );
  try {
    const bar = progressBar('Users', process.stdout);
    const added = await seedUsers(app.get(DataSource), total, bar);
    process.stdout.write(`Added ${added}; ${total - added} were there.\n`);
    return 0;
  } finally {
    await app.close();
  }
}

const total = parseUsers();
await runCommand(USAGE, total === undefined ? undefined : (config) => seed(total, config));
