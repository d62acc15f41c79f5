import { afterEach, expect, it } from 'vitest';
import { RedisClusterServers } from '../../../support/redis-cluster-servers.js';
import { cutOffReplicas } from '../redis-client.js';

let cluster: RedisClusterServers;

afterEach(() => cluster?.stop());

it('takes over without the writes since it was cut off', async () => {
  cluster = await RedisClusterServers.start();
  const primary = await cluster.primaryOf('a');
  const replica = await cluster.replicaOf(primary);
  await cluster.command(primary, 'SET', 'a', 'before');
  await cluster.command(primary, 'WAIT', '1', '10000');
  await cutOffReplicas(primary);
  await cluster.command(primary, 'SET', 'a', 'after');
  await primary.kill();
  await cluster.failOver(replica, 'takeover');
  expect(await cluster.command(replica, 'GET', 'a')).toBe('before');
  await primary.restart();
  await cluster.isWhole();
  await cluster.areReplicated();
  expect(await cluster.replicaOf(replica)).toBe(primary);
});
