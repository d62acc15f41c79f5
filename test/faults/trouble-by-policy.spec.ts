/**
 * Trouble by policy: what readers get, what writers get under CACHE_WRITE_POLICY `commit` and `refuse`, and that hits
 * come back. Two instances commit, the third refuses.
 *
 * | trouble                            | cached | not cached | `commit` | `refuse` |
 * | ---------------------------------- | ------ | ---------- | -------- | -------- |
 * | Redis is away, in whatever way     | bypass | bypass     | 200      | 503      |
 * | Redis is away for one instance     | bypass | bypass     | 200      | 503      |
 * | Redis closes or forgets something  | hit    | miss       | 200      | 200      |
 * | PostgreSQL is away or stands still | hit    | 503        | 503      | 503      |
 * | PostgreSQL closes idle sessions    | hit    | miss       | 200      | 200      |
 */
import { afterEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { isLong, itWhenLong, representatives } from '../support/long-tests.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { useFaultCluster } from './support/fault-tests.js';
import { allHit, expectReads, expectViews, underWatch, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { expectRefused, expectUnpublished } from './support/policies.js';
import { postgresEnds, stillness } from './support/postgres-troubles.js';
import {
  allWell,
  allWithoutRedis,
  degraded,
  infoOf,
  replacedEpochs,
  redisCommand,
} from './support/redis-trouble.js';
import { redisTroubles } from './support/redis-troubles.js';
import { Register } from './support/register.js';
import { allHitAll, allRight, allRelayed, createRegisters } from './support/relaying.js';
import { writeStep } from './support/steps.js';

const REDIS_TIMEOUT_MS = 2_000;
/** Each key delays the loading of a snapshot by a millisecond: long enough for the checks. */
const SLOW_KEYS = 8_000;
/** As many as an instance has connections. */
const POOL = 10;
const ROUNDS = isLong ? 60 : 8;
/** About as long: sessions are to be closed anywhere within a write. */
const WRITE_TAKES_MS = 15;

let cluster: FaultCluster;
let writer: Member;
let refusing: Member;

useFaultCluster(
  (started) => {
    cluster = started;
    [writer, , refusing] = started.members;
  },
  {
    env: { REDIS_TIMEOUT_MS: String(REDIS_TIMEOUT_MS), DATABASE_TIMEOUT_MS: '5000' },
    envOfThird: { CACHE_WRITE_POLICY: 'refuse', DATABASE_TIMEOUT_MS: '2000' },
    redis: { config: { 'key-load-delay': '1000' } },
  },
);
afterEach(() => allWell(cluster));

async function expectWritten(register: Register, members = cluster.running): Promise<void> {
  for (const member of members) expect((await register.write(member)).status).toBe(200);
}

describe('Redis', () => {
  it.each(representatives(redisTroubles, 0, 1))(
    '$trouble: reads bypass, writes commit or are refused, and no instance misses one',
    async ({ reason, losesData, save, begin, end }) => {
      const [watched, other] = (await createRegisters(cluster, 2)) as [Register, Register];
      await allHitAll(cluster, [watched, other]);
      const epochs = await replacedEpochs(cluster);
      const life = await infoOf(cluster.redis, 'run_id');
      await whileWatched(cluster, watched, async (watch) => {
        if (save) {
          await save(cluster.redis);
          expect((await watched.write(writer)).status).toBe(200);
          await allHit(cluster, watched);
        }
        await begin(cluster.redis);
        await allWithoutRedis(cluster, reason);
        await expectRefused(cluster, refusing, other);
        await expectUnpublished(writer, watched);
        await expectViews(cluster.members, watched, 'bypass');
        await watched.writeOutside();
        await other.writeOutside();
        await expectReads(cluster, watch);

        await end(cluster.redis);
        await allRelayed(cluster);
        await allRight(cluster, [watched, other]);
        await allWell(cluster);
        await expectWritten(watched);
        await expectWritten(other, [refusing]);
        await allRight(cluster, [watched, other]);
      });
      await allHitAll(cluster, [other]);
      if (!losesData) return;
      expect(await infoOf(cluster.redis, 'run_id')).not.toBe(life);
      expect(await replacedEpochs(cluster)).toBeGreaterThan(epochs);
    },
  );

  itWhenLong(
    'reads a large snapshot (LOADING): no request is delayed, and no answer comes from the older data',
    async () => {
      const forAll = (command: string) =>
        redisCommand(cluster.redis, 'EVAL', `for i = 1, ${SLOW_KEYS} do ${command} end`, '0');
      await underWatch(cluster, async (register, watch) => {
        await forAll(`redis.call('SET', 'slow:' .. i, i)`);
        await cluster.redis.save();
        expect((await register.write(writer)).status).toBe(200);
        await allHit(cluster, register);
        const restarted = cluster.redis.restart();
        await allWithoutRedis(cluster, /LOADING|loading|ECONNREFUSED|closed/);
        expect((await register.write(writer)).status).toBe(200);
        await expectReads(cluster, watch);
        await restarted;
        const loaded = Number(await infoOf(cluster.redis, 'rdb_last_load_keys_loaded'));
        expect(loaded).toBeGreaterThan(SLOW_KEYS);
        await forAll(`redis.call('DEL', 'slow:' .. i)`);
        await allWell(cluster);
      });
    },
  );

  it('hangs for less than a command may take: reads and writes wait for it', async () => {
    await underWatch(cluster, async (register, watch) => {
      for (const member of cluster.members) {
        cluster.redis.pause();
        const write = register.write(member);
        await delay(REDIS_TIMEOUT_MS / 8);
        cluster.redis.resume();
        // On a busy machine it may have taken too long after all.
        expect([200, 503]).toContain((await write).status);
        await expectReads(cluster, watch, 2);
      }
    });
  });

  const killClients = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'];

  it.each([
    { event: 'closes three connections or more', command: killClients, reply: /^([3-9]|\d{2,})$/ },
    { event: 'forgets its scripts', command: ['SCRIPT', 'FLUSH'], reply: /^OK$/ },
  ])('$event: every write of either policy is done, and hits go on', async ({ command, reply }) => {
    const stored = await underWatch(cluster, async (register, watch) => {
      for (const member of cluster.members) {
        const words = command as [string, ...string[]];
        expect(String(await redisCommand(cluster.redis, ...words))).toMatch(reply);
        expect((await register.write(member)).status).toBe(200);
        await expectReads(cluster, watch);
        await allWell(cluster);
      }
    });
    expect(stored).toBe(3);
  });

  const cuts = [
    { policy: 'refuse', cut: 'freeze' },
    { policy: 'commit', cut: 'freeze' },
    { policy: 'refuse', cut: 'refuse' },
    { policy: 'commit', cut: 'refuse' },
  ] as const;

  it.each(representatives(cuts, 2))(
    'is out of reach ($cut) of one instance alone, which is to $policy: it misses no write',
    async ({ policy, cut }) => {
      const lone = policy === 'commit' ? cluster.members[1] : refusing;
      const [watched, other] = (await createRegisters(cluster, 2)) as [Register, Register];
      await whileWatched(cluster, watched, async (watch) => {
        lone.redis[cut]();
        await degraded(lone, /Redis is not available/);
        await expectWritten(watched, [writer]);
        await writer.instance.warm(watched.path);
        await expectViews([lone], watched, 'bypass');
        await expectReads(cluster, watch);
        // Under `commit` others may serve old answers until it reaches Redis again, as the README says.
        if (policy === 'refuse') await expectRefused(cluster, refusing, other);
        lone.redis.calm();
        await allWell(cluster);
        await expectWritten(watched, [writer]);
      });
    },
  );

  it('is away when an instance starts: it reads the database, and uses Redis once that is up', async () => {
    const { id, path } = await Register.create(cluster);
    await cluster.redis.kill();
    await writer.kill();
    await writer.mend();
    expect(await writer.get(path)).toMatchObject({ status: 200, json: { id } });
    expect(await writer.instance.health()).toBe('degraded');
    await cluster.redis.restart();
    await writer.instance.warm(path);
  });

  it('comes back with old data: an instance that starts then serves none of it', async () => {
    const register = await Register.create(cluster);
    await allHit(cluster, register);
    await cluster.redis.save();
    await expectWritten(register, [writer]);
    await allHit(cluster, register);
    await cluster.redis.restart();
    await allRight(cluster, [register]);
    await refusing.kill();
    await refusing.mend();
    await allRight(cluster, [register]);
    await allHit(cluster, register);
    await allRight(cluster, [register]);
  });

  itWhenLong('is away: the log reports it once, not with every request', async () => {
    const { path } = await Register.create(cluster);
    await writer.instance.warm(path);
    const before = writer.instance.process.log.length;
    await cluster.redis.kill();
    for (let i = 0; i < 30; i += 1) await writer.get(path);
    await degraded(writer, /Redis is not available/);
    const lines = writer.instance.process.log.slice(before).split('\n');
    expect(lines.filter((line) => /redis/i.test(line))).toHaveLength(1);
  });
});

describe('PostgreSQL', () => {
  async function writtenAgain(register: Register): Promise<void> {
    for (const member of cluster.members) await eventually(() => expectWritten(register, [member]));
  }

  it.each(representatives([stillness, ...postgresEnds], 0, 3))(
    '$how: hits go on, and a miss or a write of either policy ends with 503, until it is back',
    async ({ begin, end }) => {
      await underWatch(cluster, async (register, watch) => {
        await begin(cluster.postgres);
        await expectViews(cluster.members, register, 'hit');
        const answers = cluster.members.flatMap((member, index) => [
          member.get(`/users/${2_000_000_000 + index}`),
          register.write(member),
        ]);
        for (const { status, headers } of await Promise.all(answers)) {
          expect(status).toBe(503);
          expect(headers['retry-after']).toBe('5');
        }
        for (const { instance } of cluster.members) expect(await instance.health()).toBe('error');
        await expectViews(cluster.members, register, 'hit');
        if (begin !== stillness.begin) await expectReads(cluster, watch);
        await end(cluster.postgres);
        await writtenAgain(register);
        await allWell(cluster);
      });
    },
  );

  itWhenLong('loses packets: every request ends with 503 after its deadline', async () => {
    await underWatch(cluster, async (register) => {
      const commit = writeStep.commit(refusing);
      const committing = register.write(refusing);
      await commit.reached();
      refusing.postgres.freeze();
      const answers = await Promise.all([
        committing,
        refusing.patch('/users/999999', { region: 'US' }),
        ...Array.from({ length: POOL }, () => refusing.get('/users/999999')),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
      expect(await refusing.instance.health()).toBe('error');
      // New connections are accepted, and get no answer either.
      expect((await refusing.get('/users/999999')).status).toBe(503);
      refusing.postgres.thaw();
      commit.letGo();
    });
  });

  itWhenLong('closes idle sessions: they are replaced, and every write is done', async () => {
    await underWatch(cluster, async (register) => {
      const closed = await cluster.terminate(`state = 'idle'`);
      expect(closed).toBeGreaterThanOrEqual(cluster.members.length);
      await writtenAgain(register);
    });
  });

  it('closes all sessions repeatedly under writes: each write is done or ends with 503', async () => {
    await underWatch(cluster, async (register) => {
      let closed = 0;
      const outcomes = new Set<number>();
      for (let round = 0; round < ROUNDS || !outcomes.has(503); round += 1) {
        // One write at a time: the numbers are to be committed in their order.
        const write = register.write(cluster.members[round % 3] ?? writer);
        await delay(Math.random() * WRITE_TAKES_MS);
        closed += await cluster.terminate();
        const { status } = await write;
        expect([200, 503]).toContain(status);
        outcomes.add(status);
      }
      expect(closed).toBeGreaterThan(ROUNDS);
    });
  });
});
