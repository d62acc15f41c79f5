/**
 * Real: PostgreSQL, a Redis Cluster of three primaries. A read whose tables lie on all three asks them at once: it waits
 * for one round trip.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { StatementCounter } from '../support/statement-counter.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import { RedisMonitor } from '../../../../test/support/redis-monitor.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { bucketOf, slotOf, tagOfBucket } from '../../src/redis/cluster/slots.js';
import { Bystander, Customer } from '../fixtures/entities.js';
import { Account } from '../outbox/accounts.entities.js';

/** In the order of the servers that have them. */
const TABLES = ['public.accounts', 'public.bystanders', 'public.customers'];
/** Nothing ends because of held answers. */
const TIMEOUT_MS = 60_000;

const all = defineQuery({
  name: 'all',
  build: (source) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .innerJoin(Account, 'a', 'a.id = c.id')
      .innerJoin(Bystander, 'b', 'b.id = c.id'),
  map: ({ name }) => name,
}).bind();

let cluster: RedisClusterServers;
let app: CachedApplication;
let proxies: readonly TcpProxy[];
let monitors: readonly RedisMonitor[];
let admins: readonly Redis[];

beforeAll(async () => {
  cluster = await RedisClusterServers.start({ replicas: 0 });
  const { servers } = cluster;
  const named = new Map<number, number>();
  proxies = await Promise.all(servers.map(({ port }) => TcpProxy.open(port, undefined, named)));
  for (const [index, { port }] of servers.entries()) named.set(port, proxies[index]?.port ?? 0);
  app = await CachedApplication.start({
    databaseUrl: await createDatabase(),
    entities: [Customer, Account, Bystander],
    synchronize: true,
    cache: {
      redis: {
        cluster: proxies.map(({ port }) => ({ host: '127.0.0.1', port })),
        timeoutMs: TIMEOUT_MS,
      },
    },
    invalidation: { triggers: 'install' },
  });
  await app.source.getRepository(Customer).insert({ id: 1, name: 'ann', region: 'US' });
  await app.source.getRepository(Account).insert({ id: 1, region: 'US' });
  await app.source.getRepository(Bystander).insert({ id: 1 });
  admins = servers.map(({ port }) => new Redis(port, '127.0.0.1'));
  monitors = await Promise.all(
    admins.map((admin, index) => RedisMonitor.start(admin, new RegExp(`:${TABLES[index]}:`))),
  );
});

afterAll(async () => {
  for (const proxy of proxies) proxy.calm();
  await app.stop();
  for (const monitor of monitors) monitor.stop();
  for (const admin of admins) admin.disconnect();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await cluster.stop();
});

it('has its commands at all three servers before any of them has answered, and needs no further ones for a hit', async () => {
  for (const [index, table] of TABLES.entries()) {
    const owner = await cluster.primaryOf(slotOf(`{${tagOfBucket(bucketOf(table))}}`));
    expect(owner).toBe(cluster.servers[index]);
  }
  const read = () => app.observe(() => app.cache.run(all));
  await eventually(async () => expect((await read()).outcomes).toEqual(['hit']));
  const before = await Promise.all(monitors.map((monitor) => monitor.commands()));
  const sql = StatementCounter.attach(app.source);
  // The answer to a heartbeat, if none comes earlier.
  const holds = proxies.map((proxy) => proxy.holdAt('to-client', '\r\n'));
  await Promise.all(holds.map((hold) => hold.reached()));
  const reading = read();
  await eventually(async () => {
    for (const [index, monitor] of monitors.entries()) {
      expect((await monitor.commands()).length).toBe((before[index]?.length ?? 0) + 1);
    }
  });
  expect(await Promise.race([reading, Promise.resolve('waits')])).toBe('waits');
  for (const hold of holds) hold.letGo();
  expect(await reading).toEqual({ value: ['ann'], outcomes: ['hit'] });
  for (const [index, monitor] of monitors.entries()) {
    expect((await monitor.commands()).length).toBe((before[index]?.length ?? 0) + 1);
  }
  expect(sql.selectsFrom('customers')).toEqual([]);
  sql.detach();
});
