/** A Redis that loses data of the cache: in its memory, by its commands, or with its process. */
import { afterEach, describe, expect, it } from 'vitest';
import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { isLong, itWhenLong, representatives } from '../support/long-tests.js';
import type { Hold } from '../support/tcp-link.js';
import type { FaultCluster } from './support/fault-cluster.js';
import { useFaultCluster } from './support/fault-tests.js';
import { allHit, expectReads, expectViews, underWatch } from './support/healing.js';
import type { Member } from './support/member.js';
import {
  allDegraded,
  allWell,
  allWithRedis,
  counted,
  infoOf,
  keyOfUsers,
  replacedEpochs,
  redisCommand,
} from './support/redis-trouble.js';
import type { Register } from './support/register.js';
import { writeStep } from './support/steps.js';

const USERS = 1_000;
/** Enough for the data of the service and its connections, and for few of the long lists. */
const ROOM_BYTES = 3_000_000;
/** How many keys Redis drops each time that its memory is filled. */
const EVICTED = isLong ? 100 : 30;

let cluster: FaultCluster;
let writer: Member;
let other: Member;

afterEach(() => configure({ maxmemory: '0', 'maxmemory-policy': 'noeviction' }));
useFaultCluster(
  async (started) => {
    cluster = started;
    [writer, other] = started.members;
    const users = Array.from({ length: USERS }, (_, index) => ({
      username: `${index}-${randomBytes(30).toString('hex')}`,
      region: 'FILL',
      email: 'filler@example.com',
    }));
    const filled = await writer.instance.post('/users/batch', { users });
    if (filled.status !== 201) throw new Error(`Not filled: ${filled.body.toString()}`);
  },
  // A transaction may be idle for four times as long: also on a busy machine, longer than a write is held here.
  { env: { REDIS_TIMEOUT_MS: '15000' }, envOfThird: { CACHE_WRITE_POLICY: 'refuse' } },
);
afterEach(() => allWell(cluster));

async function configure(settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    expect(await redisCommand(cluster.redis, 'CONFIG', 'SET', name, value)).toBe('OK');
  }
}

describe('a Redis whose memory is full', () => {
  let lists = 0;

  async function limitMemory(policy: string): Promise<void> {
    const used = Number(await infoOf(cluster.redis, 'used_memory'));
    await configure({ 'maxmemory-policy': policy, maxmemory: String(used + ROOM_BYTES) });
  }

  /** A list that was never read: an entry of some ten thousand bytes. */
  const readNewList = (member: Member) => {
    lists += 1;
    return member.get(
      `/users?region=FILL&limit=${USERS - (lists % 100)}&after=${Math.floor(lists / 100)}`,
    );
  };

  const evicted = async (): Promise<number> => Number(await infoOf(cluster.redis, 'evicted_keys'));

  /** Stores answers until Redis has dropped `count` keys; the register is asked for in between. */
  async function fillUntilEvicted(register: Register, count = EVICTED): Promise<void> {
    const enough = (await evicted()) + count;
    await eventually(async () => {
      for (let reads = 0; reads < 50; reads += 1) {
        const [member] = cluster.members.slice(reads % 3);
        expect((await readNewList(member ?? writer)).status).toBe(200);
      }
      for (const { path } of register.views) await other.get(path);
      expect(await evicted()).toBeGreaterThan(enough);
    }, 80_000);
  }

  /** Everything but entries and versions, by name. */
  async function structure(): Promise<string[]> {
    const keys = await cluster.keys('tidemark:*');
    return keys.filter((key) => /:[etmd]$/.test(key)).toSorted();
  }

  it('under volatile-lru drops no mark, no epoch and no version in use, and hits go on', async () => {
    await underWatch(cluster, async (register, watch) => {
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
      expect(await redisCommand(cluster.redis, 'EXISTS', version)).toBe(1);
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
  });

  it('under allkeys-lru reports that marks may be dropped, and serves nothing stale', async () => {
    await underWatch(cluster, async (register, watch) => {
      await limitMemory('allkeys-lru');
      await allDegraded(cluster, /allkeys-lru/);
      await fillUntilEvicted(register);
      expect((await register.write(writer)).status).toBe(200);
      await fillUntilEvicted(register);
      await expectReads(cluster, watch);
      await configure({ maxmemory: '0', 'maxmemory-policy': 'noeviction' });
      await allWell(cluster);
    });
  });

  itWhenLong(
    'may drop the versions of a write under way as long as it keeps the mark',
    async () => {
      const stored = await underWatch(cluster, async (register, watch) => {
        const held = writeStep.commit(writer);
        const write = register.write(writer);
        await held.reached();
        for (const key of await cluster.keys('tidemark:*:{public.users}:v:*')) {
          await redisCommand(cluster.redis, 'DEL', key);
        }
        await expectReads(cluster, watch);
        await expectViews([other], register, 'bypass');
        // Committed and answered, and `end` has not come yet: what was stored meanwhile would show.
        const late = writeStep.end(writer);
        held.letGo();
        expect((await write).status).toBe(200);
        await late.reached();
        await expectReads(cluster, watch);
        late.letGo();
      });
      expect(stored).toBe(1);
    },
  );

  it('under noeviction stores nothing more and reports it, and still publishes writes', async () => {
    const stored = await underWatch(cluster, async (register, watch) => {
      await configure({ 'maxmemory-policy': 'noeviction', maxmemory: '1' });
      await expect(redisCommand(cluster.redis, 'SET', 'other', 'x')).rejects.toThrow('OOM');
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
    expect(stored).toBe(3);
  });
});

describe('a Redis that loses its data', () => {
  /** Ends the server by SIGKILL, starts it again and checks its data. */
  async function lose({ isEmpty }: { readonly isEmpty: boolean }): Promise<void> {
    const before = await infoOf(cluster.redis, 'run_id');
    await cluster.redis.restart({ empty: isEmpty });
    expect(await infoOf(cluster.redis, 'run_id')).not.toBe(before);
    const loaded = Number(await infoOf(cluster.redis, 'rdb_last_load_keys_loaded'));
    if (isEmpty) expect(loaded).toBe(0);
    else expect(loaded).toBeGreaterThan(0);
  }

  const losses = [
    { loss: 'comes back empty', isEmpty: true },
    { loss: 'comes back from an older snapshot', isEmpty: false },
  ];

  it.each(representatives(losses, 0))(
    'and $loss between begin and COMMIT does not forget the write',
    async ({ isEmpty }) => {
      const stored = await underWatch(cluster, async (register, watch) => {
        await cluster.redis.save();
        const held = writeStep.commit(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await cluster.marks()).toHaveLength(1);

        await lose({ isEmpty });
        expect(await cluster.marks()).toEqual([]);
        await allWithRedis(cluster);
        await expectReads(cluster, watch);
        // Nothing is trusted until the transaction has ended.
        expect(await register.stored()).toBe(0);
        await expectViews([other], register, 'bypass');
        held.letGo();
        expect((await write).status).toBe(200);
      });
      expect(stored).toBe(1);
    },
  );

  it('including the mark and the versions of a write under way does not forget the write, and reports the loss', async () => {
    const lost = () => replacedEpochs(cluster, 'cause="lost"');
    const before = await lost();
    const stored = await underWatch(cluster, async (register, watch) => {
      const held = writeStep.commit(writer);
      const write = register.write(writer);
      await held.reached();
      expect(await cluster.marks()).toHaveLength(1);
      const keys = await cluster.keys('tidemark:*:{public.users}:*');
      for (const key of keys.filter((name) => !name.endsWith(':e'))) {
        await redisCommand(cluster.redis, 'DEL', key);
      }
      await expectReads(cluster, watch);
      expect(await register.stored()).toBe(0);
      await expectViews([other], register, 'bypass');
      // Committed and answered, and `end` has not come yet.
      const late = writeStep.end(writer);
      held.letGo();
      expect((await write).status).toBe(200);
      await expectReads(cluster, watch);
      late.letGo();
      await allHit(cluster, register);
      expect(await lost()).toBeGreaterThan(before);
      const logs = cluster.running.map(({ log }) => log).join('');
      expect(logs).toMatch(/Redis at \S+ has lost data of the cache/);
      await allWell(cluster);
    });
    expect(stored).toBe(1);
  });

  const savedWhen: readonly { when: string; step: (writer: Member) => Hold }[] = [
    { when: 'while the mark lies on a write that ends later', step: writeStep.commit },
    { when: 'between COMMIT and end', step: writeStep.end },
  ];

  it.each(representatives(savedWhen, 0))(
    'restores no mark that was saved $when',
    async ({ step }) => {
      const stored = await underWatch(cluster, async (register, watch) => {
        const held = step(writer);
        const write = register.write(writer);
        await held.reached();
        expect(await cluster.marks()).toHaveLength(1);
        await cluster.redis.save();
        held.letGo();
        expect((await write).status).toBe(200);
        await allHit(cluster, register);
        expect((await register.write(other)).status).toBe(200);
        await allHit(cluster, register);

        await lose({ isEmpty: false });
        await expectReads(cluster, watch);
      });
      expect(stored).toBe(2);
    },
  );

  it('closes the one connection over which a write is published: it is published over another, whatever the policy', async () => {
    const unpublished = () =>
      Promise.all(cluster.members.map((member) => counted(member, 'unpublished_writes_total')));
    const stored = await underWatch(cluster, async (register) => {
      const before = await unpublished();
      for (const member of cluster.members) {
        const held = writeStep.begin(member);
        const write = register.write(member);
        await held.reached();
        held.drop();
        expect((await write).status).toBe(200);
        await allWell(cluster);
      }
      expect(await unpublished()).toEqual(before);
    });
    expect(stored).toBe(3);
  });
});
