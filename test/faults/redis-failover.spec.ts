import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { representatives } from '../support/long-tests.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { useFaultCluster } from './support/fault-tests.js';
import { allHit, expectReads, underWatch } from './support/healing.js';
import type { Member } from './support/member.js';
import {
  allWithoutRedis,
  allWell,
  allWithRedis,
  infoOf,
  keyOfUsers,
  redisCommand,
  withRedis,
} from './support/redis-trouble.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

describe('a service that is pointed to another Redis', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;
  let replica: RedisServer;
  /** Between the replica and its primary. */
  let replication: TcpProxy;

  afterEach(async () => {
    await cluster.redis.restart({ empty: true });
    pointTo(cluster.redis);
  });
  useFaultCluster((started) => {
    cluster = started;
    [writer, other] = started.members;
  });

  beforeEach(async () => {
    replica = await RedisServer.start({ config: { 'repl-diskless-sync-delay': '0' } });
    replication = await TcpProxy.open(cluster.redis.port);
  });
  afterEach(async () => {
    await allWell(cluster);
    await replication.close();
    await replica.stop();
  });

  /** The effect of a failover on the clients: their connections close, new ones go elsewhere. */
  function pointTo(server: RedisServer): void {
    for (const { redis } of cluster.members) {
      redis.retarget(server.port);
      redis.cut();
    }
  }

  async function replicate(): Promise<void> {
    await redisCommand(replica, 'REPLICAOF', '127.0.0.1', String(replication.port));
    await eventually(async () => {
      expect(await infoOf(replica, 'master_link_status')).toBe('up');
      const offset = await infoOf(cluster.redis, 'master_repl_offset');
      expect(await infoOf(replica, 'slave_repl_offset')).toBe(offset);
    });
  }

  const versionOn = async (server: RedisServer, { id }: Register): Promise<string | null> => {
    const key = await keyOfUsers(server, `v:id=${id}`);
    return withRedis(server, (client) => client.get(key));
  };

  it('serves nothing stale from a replica that lacks the last writes', async () => {
    await underWatch(cluster, async (register, watch) => {
      await replicate();
      replication.freeze();
      expect((await register.write(writer)).status).toBe(200);
      await allHit(cluster, register);
      const lost = await versionOn(cluster.redis, register);
      await cluster.redis.kill();
      replication.refuse();
      expect(await versionOn(replica, register)).not.toBe(lost);

      // A replica is not good enough, however long it takes to make it a primary.
      pointTo(replica);
      await allWithoutRedis(cluster, /replica/);
      await expectReads(cluster, watch);
      await redisCommand(replica, 'REPLICAOF', 'NO', 'ONE');
      await allWell(cluster);
      await allHit(cluster, register);
      expect((await register.write(other)).status).toBe(200);
      await allHit(cluster, register);
      await cluster.redis.restart({ empty: true });
    });
  });

  it('does not forget a write between begin and COMMIT whose mark the replica lacks', async () => {
    const stored = await underWatch(cluster, async (register, watch) => {
      await replicate();
      replication.freeze();
      const held = writeStep.commit(writer);
      const write = register.write(writer);
      await held.reached();
      expect(await cluster.marks()).toHaveLength(1);
      await cluster.redis.kill();
      replication.refuse();
      await redisCommand(replica, 'REPLICAOF', 'NO', 'ONE');
      // The register of the marks alone.
      expect(await redisCommand(replica, 'HLEN', await keyOfUsers(replica, 'm'))).toBe(1);
      pointTo(replica);
      await allWithRedis(cluster);
      await expectReads(cluster, watch);
      expect((await other.get(register.path)).cache).toBe('bypass');
      held.letGo();
      expect((await write).status).toBe(200);
      await allHit(cluster, register);
      await cluster.redis.restart({ empty: true });
    });
    expect(stored).toBe(1);
  });

  it('and back to the first, which was never restarted, serves nothing stale from its old data', async () => {
    await underWatch(cluster, async (register) => {
      const first = await infoOf(cluster.redis, 'run_id');
      pointTo(replica);
      await allHit(cluster, register);
      expect((await register.write(writer)).status).toBe(200);
      await allHit(cluster, register);
      pointTo(cluster.redis);
      expect(await infoOf(cluster.redis, 'run_id')).toBe(first);
      await allWell(cluster);
    });
  });

  const beginnings = [
    { others: 'alone', survives: false },
    { others: 'beside one that has been there and has not been asked since', survives: true },
  ];

  describe.each(representatives(beginnings, 0))(
    'an instance that starts $others after a switch back',
    ({ survives }) => {
      it('serves nothing stale from the data of the first Redis', async () => {
        const register = await Register.create(cluster);
        await allHit(cluster, register);
        const first = await infoOf(cluster.redis, 'run_id');
        const [survivor, newcomer, third] = cluster.members;
        await third.kill();
        await newcomer.kill();
        // Under the second server the table is written, and not read.
        pointTo(replica);
        await allWell(cluster);
        const unread = await versionOn(cluster.redis, register);
        expect((await register.write(survivor)).status).toBe(200);
        if (!survives) await survivor.kill();
        pointTo(cluster.redis);
        await allWell(cluster);
        expect(await infoOf(cluster.redis, 'run_id')).toBe(first);
        expect(await versionOn(cluster.redis, register)).toBe(unread);

        await newcomer.mend();
        for (const view of register.views) {
          expect([view.path, view.shows(await newcomer.get(view.path), 1)]).toEqual([
            view.path,
            true,
          ]);
        }
        for (const view of register.views) {
          expect(view.shows(await newcomer.instance.warm(view.path), 1)).toBe(true);
        }
      });
    },
  );

  it('lets an instance that starts beside others use their stored answers', async () => {
    const register = await Register.create(cluster);
    await allHit(cluster, register);
    await other.kill();
    await other.mend();
    const answer = await other.get(register.path);
    expect(answer.headers['cache-status']).toMatch(/^tidemark; hit; .*detail=L2/);
    await allHit(cluster, register);
  });
});
