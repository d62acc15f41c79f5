/** Writes of the service and past it while Redis is away, and what everybody shows afterwards. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { expectProblem } from '../e2e/support/problem.js';
import { isLong, representatives } from '../support/long-tests.js';
import type { RedisServer } from '../support/redis-server.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import { allWell, counted, degraded } from './support/redis-trouble.js';
import { Register } from './support/register.js';
import {
  allHitAll,
  allRight,
  allTold,
  createRegisters,
  relayOf,
  waitingRows,
} from './support/relaying.js';
import { writeStep } from './support/steps.js';

const OUTAGE_MS = isLong ? 5_000 : 1_500;
const REGISTERS_OF_A_KIND = 6;
const WRITE_PAUSE_MS = 10;

interface Outage {
  readonly outage: string;
  readonly begin: (redis: RedisServer) => Promise<void>;
  readonly end: (redis: RedisServer) => Promise<void>;
}

const comesBackEmpty: Outage = {
  outage: 'is killed and comes back empty',
  begin: (redis) => redis.kill(),
  end: (redis) => redis.restart({ empty: true }),
};
const comesBackFilled: Outage = {
  outage: 'is killed and comes back with what it held',
  begin: async (redis) => {
    await redis.save();
    await redis.kill();
  },
  end: (redis) => redis.restart(),
};
const goesOn: Outage = {
  outage: 'is stopped and goes on',
  begin: async (redis) => redis.pause(),
  end: async (redis) => redis.resume(),
};

describe('while Redis is away', () => {
  let cluster: FaultCluster;
  let writers: readonly Member[];
  let refusing: Member;

  afterEach(() => cluster.redis.resume());
  useFaultCluster(
    (started) => {
      cluster = started;
      const [first, second, third] = started.members;
      writers = [first, second];
      refusing = third;
    },
    { env: { REDIS_TIMEOUT_MS: '1000' }, envOfThird: { CACHE_WRITE_POLICY: 'refuse' } },
  );
  afterEach(() => allWell(cluster));

  async function keepWriting(
    registers: readonly Register[],
    write: (register: Register) => Promise<unknown>,
    until: AbortSignal,
  ): Promise<void> {
    for (let turn = 0; !until.aborted || turn < registers.length; turn += 1) {
      const register = registers[turn % registers.length];
      if (register) await write(register);
      await delay(WRITE_PAUSE_MS);
    }
  }

  it.each(representatives([comesBackEmpty, goesOn], 0))(
    'because it $outage, every write of either kind is committed, and is told afterwards',
    async ({ begin, end }) => {
      const watched = await Register.create(cluster);
      const ofService = await createRegisters(cluster, REGISTERS_OF_A_KIND);
      const ofOthers = await createRegisters(cluster, REGISTERS_OF_A_KIND);
      await allHitAll(cluster, [...ofService, ...ofOthers]);
      await whileWatched(cluster, watched, async (watch) => {
        await begin(cluster.redis);
        const isOver = AbortSignal.timeout(OUTAGE_MS);
        const through = (writer: Member) => async (register: Register) => {
          expect((await register.write(writer)).status).toBe(200);
        };
        const halves = writers.map((writer, half) =>
          keepWriting(
            ofService.filter((_, index) => index % writers.length === half),
            through(writer),
            isOver,
          ),
        );
        const outside = (register: Register): Promise<void> => register.writeOutside();
        await Promise.all([...halves, keepWriting([...ofOthers, watched], outside, isOver)]);
        expect(await waitingRows(cluster)).toBeGreaterThan(REGISTERS_OF_A_KIND);
        await expectReads(cluster, watch);

        await end(cluster.redis);
        await allTold(cluster);
        await allRight(cluster, [...ofService, ...ofOthers, watched]);
      });
      await allHitAll(cluster, [...ofService, ...ofOthers]);
      await relayOf(cluster);
    },
    TEST_MS,
  );

  it.each(representatives([comesBackFilled, goesOn], 1))(
    'because it $outage, an instance that is to refuse writes does, of whatever size',
    async ({ begin, end }) => {
      const [watched, other] = (await createRegisters(cluster, 2)) as [Register, Register];
      await allHitAll(cluster, [other]);
      await whileWatched(cluster, watched, async (watch) => {
        const before = await everyUser();
        const region = before.find(({ id }) => id === other.id)?.region;
        await begin(cluster.redis);
        await degraded(refusing, /Redis is not available/);
        const user = { region: 'NEVER', email: 'never@example.com' };
        const { instance } = refusing;
        for (const answer of [
          await refusing.patch(other.path, user),
          await instance.post(`/regions/${region}/move`, { to: 'NEVER' }),
          await instance.post('/users', { username: 'never', ...user }),
          await instance.post('/users/batch', {
            users: ['never', 'ever'].map((username) => ({ username, ...user })),
          }),
          await instance.delete(other.path),
        ]) {
          expectProblem(answer, 503);
          expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
        }
        expect(await everyUser()).toEqual(before);
        expect(await waitingRows(cluster)).toBe(0);

        await watched.writeOutside();
        await other.writeOutside();
        await expectReads(cluster, watch);
        await end(cluster.redis);
        await allTold(cluster);
        await allRight(cluster, [watched, other]);
        await allWell(cluster);
        expect((await other.write(refusing)).status).toBe(200);
        await allRight(cluster, [watched, other]);
      });
    },
    TEST_MS,
  );

  it(
    'for the one connection over which a write is announced, no write is refused or goes unannounced',
    async () => {
      const register = await Register.create(cluster);
      const unannounced = () =>
        Promise.all(writers.map((member) => counted(member, 'unannounced_writes_total')));
      await whileWatched(cluster, register, async () => {
        const before = await unannounced();
        for (const member of cluster.members) {
          const held = writeStep.begin(member);
          const write = register.write(member);
          await held.reached();
          held.drop();
          expect((await write).status).toBe(200);
          await allWell(cluster);
        }
        expect(await unannounced()).toEqual(before);
      });
      expect(await register.stored()).toBe(3);
    },
    TEST_MS,
  );

  function everyUser(): Promise<{ id: number; region: string }[]> {
    return cluster.sql('SELECT * FROM users ORDER BY id');
  }
});
