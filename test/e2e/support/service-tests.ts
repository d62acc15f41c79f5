/** Set-up of all specs about users over REST: a separate service without users. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { RedisServer } from '../../support/redis-server.js';
import { createDatabase } from '../../support/shared-postgres.js';
import type { Mode } from './modes.js';
import { RestService } from './rest-service.js';

/**
 * Starts a service on a new database before the tests of the surrounding `describe`, removes all
 * users before each of them, and stops it after them. A `beforeEach` that puts users in is
 * registered after this is called.
 *
 * @param prepare gets the service before the first test.
 */
export function useRestService(mode: Mode, prepare: (service: RestService) => unknown): void {
  let redis: RedisServer | undefined;
  let service: RestService | undefined;
  beforeAll(async () => {
    redis = await mode.startCache();
    service = await RestService.start({
      DATABASE_URL: await createDatabase(),
      REDIS_URL: redis?.url,
    });
    await prepare(service);
  });
  afterAll(async () => {
    await service?.stop();
    await redis?.stop();
  });
  beforeEach(() => service?.removeAll());
}
