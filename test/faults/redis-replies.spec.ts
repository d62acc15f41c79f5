import { describe, expect, it } from '@jest/globals';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { representatives } from '../support/long-tests.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { allHit, expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import {
  allWell,
  allWithoutRedis,
  counted,
  infoOf,
  tell,
  withRedis,
} from './support/redis-trouble.js';
import { Register } from './support/register.js';

/** Each key delays the loading of a snapshot by a millisecond: long enough for what is looked at. */
const SLOW_KEYS = 8_000;

interface Trouble {
  readonly trouble: string;
  readonly reason: RegExp;
  readonly start: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

describe('a Redis that answers with errors', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;

  useFaultCluster(
    (started) => {
      cluster = started;
      [writer, other] = started.members;
    },
    { redis: { config: { 'key-load-delay': '1000' } } },
  );

  const redis = (...words: readonly [string, ...string[]]) => tell(cluster.redis, ...words);
  const configure = (name: string, value: string) => redis('CONFIG', 'SET', name, value);
  const killClients = () => redis('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

  /** Where the snapshot belongs: it cannot take the place of a folder. */
  async function snapshotPath(): Promise<string> {
    const [, directory] = (await redis('CONFIG', 'GET', 'dir')) as [string, string];
    return join(directory, 'dump.rdb');
  }

  async function failSnapshots(): Promise<void> {
    const path = await snapshotPath();
    await rm(path, { force: true });
    await mkdir(path);
    await configure('save', '3600 1');
    await redis('BGSAVE');
    await eventually(async () => {
      expect(await infoOf(cluster.redis, 'rdb_last_bgsave_status')).toBe('err');
    });
  }

  async function mendSnapshots(): Promise<void> {
    await configure('save', '');
    await rm(await snapshotPath(), { recursive: true });
    await redis('BGSAVE');
  }

  /** Runs until it is killed; rejects then. */
  let endless: Promise<unknown>;

  const troubles: readonly Trouble[] = [
    {
      trouble: 'READONLY: it was made a replica',
      reason: /replica/i,
      start: () => redis('REPLICAOF', '127.0.0.1', '1'),
      end: () => redis('REPLICAOF', 'NO', 'ONE'),
    },
    {
      trouble: 'NOREPLICAS',
      reason: /NOREPLICAS/,
      start: () => configure('min-replicas-to-write', '1'),
      end: () => configure('min-replicas-to-write', '0'),
    },
    {
      trouble: 'MISCONF: a snapshot has failed',
      reason: /MISCONF/,
      start: failSnapshots,
      end: mendSnapshots,
    },
    {
      trouble: 'BUSY with a script',
      reason: /BUSY/,
      start: async () => {
        await configure('busy-reply-threshold', '50');
        endless = redis('EVAL', 'while true do end', '0').catch(() => 'killed');
      },
      end: async () => {
        // Over a plain connection: a busy server answers no client's first questions.
        expect(await cluster.redis.command('SCRIPT', 'KILL')).toBe('+OK');
        await endless;
      },
    },
    {
      trouble: 'NOAUTH: it got a password',
      reason: /NOAUTH/,
      start: async () => {
        await configure('requirepass', 'unknown');
        await withRedis(
          cluster.redis,
          (client) => client.call('CLIENT', 'KILL', 'TYPE', 'normal'),
          'unknown',
        );
      },
      end: () =>
        withRedis(cluster.redis, (client) => client.config('SET', 'requirepass', ''), 'unknown'),
    },
    {
      trouble: 'NOPERM: scripts were forbidden',
      reason: /NOPERM|refuses/,
      start: () => redis('ACL', 'SETUSER', 'default', '-@scripting'),
      end: () => redis('ACL', 'SETUSER', 'default', '+@all'),
    },
  ];

  it.each(representatives(troubles, 0, 3))(
    '$trouble',
    async ({ reason, start, end }) => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await start();
        await allWithoutRedis(cluster, reason);
        const unannounced = await counted(writer, 'unannounced_writes_total');
        expect((await register.write(writer)).status).toBe(200);
        expect(await counted(writer, 'unannounced_writes_total')).toBeGreaterThan(unannounced);
        for (const { path } of register.views) {
          expect((await other.get(path)).cache).toBe('bypass');
        }
        await expectReads(cluster, watch);
        await end();
        await allWell(cluster);
        expect((await register.write(other)).status).toBe(200);
      });
      expect(await register.stored()).toBe(2);
    },
    TEST_MS,
  );

  it(
    'LOADING: it reads a large snapshot',
    async () => {
      const register = await Register.create(cluster);
      await redis('EVAL', `for i = 1, ${SLOW_KEYS} do redis.call('SET', 'slow:' .. i, i) end`, '0');
      await whileWatched(cluster, register, async (watch) => {
        await cluster.redis.save();
        expect((await register.write(writer)).status).toBe(200);
        await allHit(cluster, register);
        const restarted = cluster.redis.restart();
        await allWithoutRedis(cluster, /LOADING|loading|ECONNREFUSED|closed/);
        expect((await register.write(other)).status).toBe(200);
        await expectReads(cluster, watch);
        await restarted;
        expect(Number(await infoOf(cluster.redis, 'rdb_last_load_keys_loaded'))).toBeGreaterThan(
          SLOW_KEYS,
        );
        await allWell(cluster);
      });
    },
    TEST_MS,
  );

  it(
    'and closes connections',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        for (const member of cluster.members) {
          expect(Number(await killClients())).toBeGreaterThanOrEqual(3);
          expect((await register.write(member)).status).toBe(200);
          await expectReads(cluster, watch);
          await allWell(cluster);
        }
      });
    },
    TEST_MS,
  );

  it(
    'and takes no more connections',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await withRedis(cluster.redis, async (admin) => {
          await admin.config('SET', 'maxclients', '1');
          try {
            await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
            await allWithoutRedis(cluster, /max number of clients|connection|closed/);
            expect((await register.write(writer)).status).toBe(200);
            await expectReads(cluster, watch);
          } finally {
            await admin.config('SET', 'maxclients', '1000');
          }
        });
        await allWell(cluster);
      });
    },
    TEST_MS,
  );

  it(
    'and forgets its scripts costs nothing',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        for (const member of cluster.members) {
          expect(await redis('SCRIPT', 'FLUSH')).toBe('OK');
          expect((await register.write(member)).status).toBe(200);
          await expectReads(cluster, watch);
        }
        await allWell(cluster);
      });
      expect(await register.stored()).toBe(3);
    },
    TEST_MS,
  );
});
