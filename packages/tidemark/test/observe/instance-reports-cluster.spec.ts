/** Real: PostgreSQL, a Redis Cluster of three primaries, and two instances over them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sumOutcomes } from '../../src/observe/sums.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import { LIMIT_MS, ReportingApps } from './reporting-apps.js';

let cluster: RedisClusterServers;
let apps: ReportingApps;

beforeAll(async () => {
  cluster = await RedisClusterServers.start({ primaries: 3 });
  apps = await ReportingApps.open({ redis: { cluster: cluster.addresses } });
}, 120_000);

afterAll(async () => {
  await apps.close();
  await cluster.stop();
});

it('two instances over a Redis Cluster see the reports of each other, and share their mode', async () => {
  const [one, other] = await apps.startTwo();
  for (const app of [one, other]) await apps.reportsOf(app).start();
  for (const app of [one, one, other]) await apps.run(app);
  await apps.rename(one, 'Eve');
  await eventually(async () => {
    expect((await other.observe(() => apps.run(other))).outcomes).toEqual(['miss']);
  }, LIMIT_MS);
  const [own] = await apps.seenBy(other, (all) => {
    expect(sumOutcomes(all)).toMatchObject({ l1: 3, stored: 1 });
    expect(all[0]?.misses[0]?.endedBy?.statements[0]?.title).toBe('UPDATE public.customers');
  });
  expect(own?.doubt.problems).toEqual([]);
  await apps.reportsOf(other).setMode('shadow');
  await eventually(() => expect(apps.reportsOf(one).mode).toBe('shadow'), LIMIT_MS);
});
