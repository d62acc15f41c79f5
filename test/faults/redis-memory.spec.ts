import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { TEST_MS, useFaultCluster } from './support/fault-tests.js';
import { allHit, expectReads, whileWatched } from './support/healing.js';
import type { Member } from './support/member.js';
import {
  allDegraded,
  allWell,
  counted,
  infoOf,
  keyOfUsers,
  tell,
} from './support/redis-trouble.js';
import { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

const USERS = 1_000;
/** Enough for the data of the service and its connections, and for few of the long lists. */
const ROOM_BYTES = 3_000_000;

describe('a Redis whose memory is full', () => {
  let cluster: FaultCluster;
  let writer: Member;
  let other: Member;
  let lists = 0;

  afterEach(() => configure({ maxmemory: '0', 'maxmemory-policy': 'noeviction' }));
  useFaultCluster(async (started) => {
    cluster = started;
    [writer, other] = started.members;
    const users = Array.from({ length: USERS }, (_, index) => ({
      username: `${index}-${randomBytes(30).toString('hex')}`,
      region: 'FILL',
      email: 'filler@example.com',
    }));
    const filled = await writer.instance.post('/users/batch', { users });
    if (filled.status !== 201) throw new Error(`Not filled: ${filled.body.toString()}`);
  });
  afterEach(() => allWell(cluster));

  async function configure(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings)) {
      expect(await tell(cluster.redis, 'CONFIG', 'SET', name, value)).toBe('OK');
    }
  }

  async function limitMemory(policy: string): Promise<void> {
    const used = Number(await infoOf(cluster.redis, 'used_memory'));
    await configure({ 'maxmemory-policy': policy, maxmemory: String(used + ROOM_BYTES) });
  }

  /** A list that nobody has asked for yet: an entry of some ten thousand bytes. */
  const readNewList = (member: Member) => {
    lists += 1;
    return member.get(
      `/users?region=FILL&limit=${USERS - (lists % 100)}&after=${Math.floor(lists / 100)}`,
    );
  };

  const evicted = async (): Promise<number> => Number(await infoOf(cluster.redis, 'evicted_keys'));

  /** Stores answers until Redis has dropped `count` keys; the register is asked for in between. */
  async function fillUntilEvicted(register: Register, count = 100): Promise<void> {
    const enough = (await evicted()) + count;
    await eventually(async () => {
      for (let reads = 0; reads < 50; reads += 1) {
        const [member] = cluster.members.slice(reads % 3);
        expect((await readNewList(member ?? writer)).status).toBe(200);
      }
      for (const { path } of register.views) await other.get(path);
      expect(await evicted()).toBeGreaterThan(enough);
    }, TEST_MS / 3);
  }

  /** Everything but entries and versions, by name. */
  async function structure(): Promise<string[]> {
    const keys = await cluster.keys('tidemark:*');
    return keys.filter((key) => /:[etmd]$/.test(key)).toSorted();
  }

  it(
    'under volatile-lru drops no mark, no epoch and no version in use, and hits go on',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await limitMemory('volatile-lru');
        await fillUntilEvicted(register);
        // From here on each answer that is stored evicts others: enough of them are while the write is held.
        const held = writeStep.commit(writer);
        const write = register.write(writer);
        await held.reached();
        const before = await structure();
        await fillUntilEvicted(register, 20);
        expect(await structure()).toEqual(expect.arrayContaining(before));
        expect((await cluster.marks()).length).toBeGreaterThan(0);
        const version = await keyOfUsers(cluster.redis, `v:id=${register.id}`);
        expect(await tell(cluster.redis, 'EXISTS', version)).toBe(1);
        expect((await other.get(register.path)).cache).toBe('bypass');
        held.letGo();
        expect((await write).status).toBe(200);
        await allHit(cluster, register);
        await fillUntilEvicted(register);
        // In memory as well as in Redis: the version is what has to stay.
        for (const member of cluster.members) {
          expect((await member.get(register.path)).cache).toBe('hit');
        }
        await expectReads(cluster, watch);
        await allWell(cluster);
      });
    },
    TEST_MS,
  );

  it(
    'under allkeys-lru says that marks may be dropped, and serves nothing old',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await limitMemory('allkeys-lru');
        await allDegraded(cluster, /allkeys-lru/);
        await fillUntilEvicted(register);
        expect((await register.write(writer)).status).toBe(200);
        await fillUntilEvicted(register);
        await expectReads(cluster, watch);
        await configure({ maxmemory: '0', 'maxmemory-policy': 'noeviction' });
        await allWell(cluster);
      });
    },
    TEST_MS,
  );

  it(
    'may drop the versions of a write under way as long as it keeps the mark',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        const held = writeStep.commit(writer);
        const write = register.write(writer);
        await held.reached();
        for (const key of await cluster.keys('tidemark:*:{public.users}:v:*')) {
          await tell(cluster.redis, 'DEL', key);
        }
        await expectReads(cluster, watch);
        for (const { path } of register.views) {
          expect((await other.get(path)).cache).toBe('bypass');
        }
        // Committed and answered, and `end` has not come yet: what was stored meanwhile would show.
        const late = writeStep.end(writer);
        held.letGo();
        expect((await write).status).toBe(200);
        await late.reached();
        await expectReads(cluster, watch);
        late.letGo();
      });
      expect(await register.stored()).toBe(1);
    },
    TEST_MS,
  );

  it(
    'under noeviction stores nothing more and says so, and still announces writes',
    async () => {
      const register = await Register.create(cluster);
      await whileWatched(cluster, register, async (watch) => {
        await configure({ 'maxmemory-policy': 'noeviction', maxmemory: '1' });
        await expect(tell(cluster.redis, 'SET', 'other', 'x')).rejects.toThrow('OOM');
        await allDegraded(cluster, /maxmemory/);
        expect(await counted(other, 'store_full_total')).toBeGreaterThan(0);
        expect((await readNewList(other)).status).toBe(200);
        for (const member of cluster.members) {
          expect((await register.write(member)).status).toBe(200);
          await expectReads(cluster, watch);
        }
        await configure({ maxmemory: '0' });
        await allWell(cluster);
      });
      expect(await register.stored()).toBe(3);
    },
    TEST_MS,
  );
});
