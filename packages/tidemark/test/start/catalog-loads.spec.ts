/** Real: PostgreSQL, Redis. How often a starting application loads the catalog of its database. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  it,
  vi,
  type MockInstance,
} from 'vitest';
import pg from 'pg';
import { DataSource } from 'typeorm';
import type { CacheInvalidationModuleOptions } from '../../src/index.js';
import { RELATIONS } from '../../src/postgres/catalog/relation-queries.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Bystander, Customer } from '../fixtures/entities.js';
import { CachedApplication } from '../support/cached-application.js';
import { StartedApplication } from './started-application.js';

type Query = (this: unknown, ...sent: unknown[]) => Promise<unknown>;

let redis: RedisServer;
let databaseUrl: string;

beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  databaseUrl = await createDatabase();
});
afterEach(() => vi.restoreAllMocks());

/** The number of loads until the application has started; a load sends this query once. */
async function loadsOf(
  triggers: NonNullable<CacheInvalidationModuleOptions['triggers']>,
  cache: 'memory' | 'redis',
): Promise<number> {
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  const application = await CachedApplication.start({
    databaseUrl,
    entities: [Customer, Bystander],
    synchronize: true,
    invalidation: { triggers },
    cache: cache === 'redis' ? { redis: redis.url } : {},
  });
  const loads = (sent.mock.calls as unknown[][]).filter(([text]) => text === RELATIONS).length;
  sent.mockRestore();
  await application.stop();
  return loads;
}

it('in memory: one load, and one after the installation of all triggers', async () => {
  expect(await loadsOf('off', 'memory')).toBe(1);
  expect(await loadsOf('install', 'memory')).toBe(2);
  expect(await loadsOf('install', 'memory')).toBe(1);
});

it('a statement that passes while the catalog is loaded at start: one more load', async () => {
  let source: DataSource | undefined;
  let isFirst = true;
  const { query } = pg.Client.prototype as unknown as Record<'query', Query>;
  const sent = vi.spyOn(pg.Client.prototype, 'query') as unknown as MockInstance<Query>;
  sent.mockImplementation(async function (this: unknown, ...given) {
    const answer = await query.apply(this, given);
    if (given[0] !== RELATIONS || !isFirst) return answer;
    isFirst = false;
    await source?.query('CREATE TABLE late (id int PRIMARY KEY)');
    return answer;
  });
  const application = await StartedApplication.start({
    databaseUrl,
    dataSourceFactory: async (options) => (source = await new DataSource(options).initialize()),
    invalidation: { triggers: 'off' },
  });
  await application.stop();
  expect(sent.mock.calls.filter(([text]) => text === RELATIONS)).toHaveLength(2);
});

it('over Redis: one more load where all answers are ended, since writes may have been missed', async () => {
  expect(await loadsOf('install', 'redis')).toBe(3);
  // The installation has changed the definitions.
  expect(await loadsOf('install', 'redis')).toBe(2);
  expect(await loadsOf('install', 'redis')).toBe(1);
});
