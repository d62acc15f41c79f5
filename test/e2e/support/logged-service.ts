/** The service as a whole, with all that it logs. */
import { afterAll, beforeAll } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../../src/app.js';
import { parseConfig } from '../../../src/config/config.js';
import { ServiceLog } from '../../../src/logging/service-log.js';
import { createDatabase } from '../../support/shared-postgres.js';

export interface LoggedService {
  readonly app: NestFastifyApplication;
  /** Its log, line by line. */
  readonly lines: readonly string[];
  readonly records: () => Record<string, unknown>[];
}

/** The caller closes the application. */
export async function startLoggedService(
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<LoggedService> {
  const lines: string[] = [];
  const config = parseConfig({ DATABASE_URL: databaseUrl, LOG_LEVEL: 'debug', ...env });
  const log = new ServiceLog('debug', { write: (line: string) => void lines.push(line) });
  const app = await createApp(config, log);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const records = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { app, lines, records };
}

/**
 * Starts a service on a new database before the tests of the surrounding `describe` and closes it
 * after them.
 *
 * @param prepare gets the service before the first test.
 */
export function useLoggedService(prepare: (service: LoggedService) => unknown): void {
  let app: NestFastifyApplication | undefined;
  beforeAll(async () => {
    const service = await startLoggedService(await createDatabase());
    ({ app } = service);
    await prepare(service);
  });
  afterAll(() => app?.close());
}
