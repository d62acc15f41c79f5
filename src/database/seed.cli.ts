/** `npm run seed -- --users N`: fills in users 0 to N-1, through the cache's eyes. */
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { AppModule } from '../app.module.js';
import { readConfig } from '../config/environment.js';
import { describeError } from '../logging/describe-error.js';
import { ServiceLog } from '../logging/service-log.js';
import { progressBar } from './progress-bar.js';
import { seedUsers } from './seed.js';
import { openServiceDatabase } from './service-database.js';

const USAGE = 'Usage: npm run seed -- --users N, with N from 1 to 2147483647';
const MOST_USERS = 2_147_483_647;

function usersAsked(): number | undefined {
  try {
    const { values } = parseArgs({ options: { users: { type: 'string' } } });
    const users = /^\d{1,10}$/.test(values.users ?? '') ? Number(values.users) : 0;
    return users >= 1 && users <= MOST_USERS ? users : undefined;
  } catch {
    return undefined;
  }
}

async function seed(total: number): Promise<void> {
  const database = await openServiceDatabase(readConfig(), (line) =>
    process.stderr.write(`${line}\n`),
  );
  try {
    // The whole application, so that its cache, and that of running instances, learns of the users.
    const app = await NestFactory.createApplicationContext(
      AppModule.forRoot({ ...database.config, seedUsers: 0, databaseTimeoutMs: 0 }),
      { logger: new ServiceLog('warn', process.stderr), abortOnError: false },
    );
    try {
      const added = await seedUsers(
        app.get(DataSource),
        total,
        progressBar('Users', process.stdout),
      );
      process.stdout.write(`Added ${added}; ${total - added} were there.\n`);
    } finally {
      await app.close();
    }
  } finally {
    await database.stop();
  }
}

const total = usersAsked();
if (total === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
} else {
  try {
    await seed(total);
  } catch (error) {
    process.stderr.write(`${describeError(error).message}\n`);
    process.exitCode = 1;
  }
}
