/** Two database servers with databases of one name, and one Redis. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { PostgresServer } from '../../../../test/support/postgres-server.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { Customer } from '../fixtures/entities.js';

const names = defineQuery({
  name: 'customers.names',
  build: (source, _parameters: object) => source.getRepository(Customer).createQueryBuilder('c'),
  map: (customer) => customer.name,
});

let redis: RedisServer;
let servers: PostgresServer[] = [];
const apps: CachedApplication[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  servers = await Promise.all([
    PostgresServer.start(),
    PostgresServer.start({ isUnrelated: true }),
  ]);
});

afterAll(async () => {
  await Promise.all(apps.map((app) => app.stop()));
  await Promise.all(servers.map((server) => server.stop()));
  await redis.stop();
});

async function start(databaseUrl: string, synchronize = false): Promise<CachedApplication> {
  const cache = { redis: { url: redis.url } };
  const app = await CachedApplication.start({
    databaseUrl,
    entities: [Customer],
    synchronize,
    cache,
  });
  apps.push(app);
  return app;
}

const read = (app: CachedApplication) => app.observe(() => app.cache.run(names.bind({})));

/** The databases that the names of the keys identify. */
async function databasesInRedis(): Promise<Set<string | undefined>> {
  const client = new Redis(redis.url);
  const keys = await client.keys('tidemark:*:t');
  client.disconnect();
  return new Set(keys.map((key) => key.split(':')[1]));
}

it('give each its own rows, and a write to one ends nothing of the other', async () => {
  const [ours, theirs] = await Promise.all(
    servers.map(async (server, index) => {
      const app = await start(await server.createDatabase('shop'), true);
      await app.source.query(`INSERT INTO customers (name, region) VALUES ('of ${index}', 'EU')`);
      return app;
    }),
  );
  if (!ours || !theirs) throw new Error('An application is missing.');
  await eventually(async () => {
    expect(await read(ours)).toEqual({ value: ['of 0'], outcomes: ['hit'] });
  });
  const first = await read(theirs);
  expect(first.value).toEqual(['of 1']);
  expect(first.outcomes).not.toEqual(['hit']);
  await eventually(async () => {
    expect(await read(theirs)).toEqual({ value: ['of 1'], outcomes: ['hit'] });
  });
  await theirs.source.query(`UPDATE customers SET name = 'changed'`);
  expect(await read(ours)).toEqual({ value: ['of 0'], outcomes: ['hit'] });
  expect((await read(theirs)).value).toEqual(['changed']);
  expect(await databasesInRedis()).toHaveProperty('size', 2);
});

it('and a promoted standby keeps the keys of its primary', async () => {
  const before = await databasesInRedis();
  await Promise.all(apps.splice(0).map((app) => app.stop()));
  const standby = await (servers[0] as PostgresServer).endAsStandby();
  servers.push(standby);
  await standby.psql('SELECT pg_promote()');
  const app = await start(standby.urlOf('shop'));
  expect((await read(app)).value).toEqual(['of 0']);
  expect(await databasesInRedis()).toEqual(before);
});

it('cannot be distinguished by a role without the right, and the error has the SQL to run', async () => {
  const server = servers[1] as PostgresServer;
  await server.psql('CREATE ROLE "Clerk" LOGIN; ALTER DATABASE shop OWNER TO "Clerk"');
  await server.psql(
    `REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA public TO "Clerk"`,
    'shop',
  );
  const url = server.urlOf('shop').replace('postgres@', 'Clerk@');
  const failure: unknown = await start(url).catch((error: unknown) => error);
  expect(String(failure)).toContain('QueryCacheModule option `redis`');
  const grant = /GRANT .*;/.exec(String(failure))?.[0] ?? '';
  await server.psql(grant, 'shop');
  expect((await read(await start(url))).value).toEqual(['changed']);
});
