import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { isLong } from '../support/long-tests.js';
import { RedisMonitor } from '../support/redis-monitor.js';
import { Cluster } from './support/cluster.js';

const STARTING_MS = 180_000;
/** So that each instance writes. */
const ROUNDS = isLong ? 12 : 3;
const WRITES = isLong ? 60 : 20;

describe('three instances on one Redis and one database', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start();
  }, STARTING_MS);
  afterAll(() => cluster?.stop());

  it('show a write on any of them at once on all', async () => {
    const { id, region } = await cluster.createUser();
    const [user, list] = [`/users/${id}`, `/users?region=${region}`];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const instance of cluster.instances) {
        await instance.warm(user);
        await instance.warm(list);
      }
      const writer = cluster.instances[round % 3];
      const username = `user-${id}-round-${round}`;
      expect((await writer?.patch(user, { username }))?.status).toBe(200);
      for (const instance of cluster.instances) {
        expect((await instance.get(user)).json).toMatchObject({ username });
        expect((await instance.get(list)).json).toEqual([{ id, username }]);
      }
    }
  });

  it('never show less than the writes acknowledged when the read was sent', async () => {
    const { id, region } = await cluster.createUser();
    const list = `/users?region=${region}`;
    const numberIn = (body: unknown) =>
      Number((body as { username: string }[])[0]?.username.split('#')[1]);
    let acknowledged = 0;
    let isWriting = true;
    const regressions: string[] = [];
    let reads = 0;
    let hits = 0;
    await cluster.instances[0].patch(`/users/${id}`, { username: `user-${id}#0` });

    const readers = cluster.instances.flatMap((instance) =>
      [1, 2].map(async () => {
        while (isWriting) {
          const least = acknowledged;
          const answer = await instance.get(list);
          const seen = numberIn(answer.json);
          reads += 1;
          if (answer.cache === 'hit') hits += 1;
          if (!(seen >= least)) regressions.push(`${seen} after ${least} was acknowledged`);
        }
      }),
    );
    for (let next = 1; next <= WRITES; next += 1) {
      const writer = cluster.instances[next % 3];
      const { status } = (await writer?.patch(`/users/${id}`, {
        username: `user-${id}#${next}`,
      })) ?? { status: 0 };
      expect(status).toBe(200);
      acknowledged = next;
      // Without readers in between, the test would prove nothing.
      const readsBefore = reads;
      await eventually(() => expect(reads).toBeGreaterThan(readsBefore + 6));
    }
    isWriting = false;
    await Promise.all(readers);
    expect(regressions).toEqual([]);
    expect(hits).toBeGreaterThan(0);
  });

  it('run a query once when all get it at the same time', async () => {
    const { id, username, region } = await cluster.createUser();
    const list = `/users?region=${region}`;
    // The versions exist and no write is under way: only the answer itself is missing.
    for (const instance of cluster.instances) await instance.warm(`${list}&limit=1`);
    const fills = () =>
      cluster.postgres.log
        .split('\n')
        .filter((line) => /SELECT .*"region" = \$1.* LIMIT 77\b/.test(line));
    const answers = await cluster.whileUsersAreLocked(async (waiting) => {
      const asked = cluster.instances.flatMap((instance) =>
        Array.from({ length: 20 }, () => instance.get(`${list}&limit=77`)),
      );
      await eventually(async () => expect(await waiting()).toBeGreaterThan(0));
      // The longer, the more of them have arrived; none of them needs to have.
      await delay(500);
      return asked;
    });
    for (const { json } of await Promise.all(answers)) expect(json).toEqual([{ id, username }]);
    expect(fills()).toHaveLength(1);
  });

  it("use each other's stored answers", async () => {
    const { region } = await cluster.createUser();
    const [first, second] = cluster.instances;
    let limit = 0;
    // Again with another list while the second comes too early, before the first has handed it on.
    await eventually(async () => {
      limit += 1;
      const list = `/users?region=${region}&limit=${limit}`;
      await first.warm(list);
      const answer = await second.get(list);
      expect(answer.headers['cache-status']).toMatch(/^tidemark; hit; .*detail=L2$/);
      expect((await second.get(list)).headers['cache-status']).toMatch(/detail=L1$/);
    });
  });

  it("share one read of another instance's entry among many waiting requests", async () => {
    const { region } = await cluster.createUser();
    const [first, second] = cluster.instances;
    const admin = new Redis(cluster.redis.url);
    try {
      let limit = 100;
      await eventually(async () => {
        limit += 1;
        const list = `/users?region=${region}&limit=${limit}`;
        await first.warm(list);
        const monitor = await RedisMonitor.start(admin, /^tidemark:e:/);
        try {
          cluster.redis.pause();
          const asked = Promise.all(Array.from({ length: 20 }, () => second.get(list)));
          await delay(150);
          cluster.redis.resume();
          const levels = (await asked).map(({ headers }) => headers['cache-status']);
          for (const level of levels) expect(level).toMatch(/^tidemark; hit; .*detail=L[12]$/);
          // The script of the lock looks whether there is an entry.
          expect(await monitor.names()).toEqual(['evalsha', 'exists', 'getrange']);
        } finally {
          monitor.stop();
        }
      });
    } finally {
      admin.disconnect();
    }
  });

  it('survive the kill of one of them in the midst of writes', async () => {
    const users = await Promise.all(Array.from({ length: 15 }, () => cluster.createUser()));
    const [victim, ...others] = cluster.instances;
    for (const { id } of users) for (const other of others) await other.warm(`/users/${id}`);

    const writes = users.map(({ id }) => victim.patch(`/users/${id}`, { region: 'MOVED' }));
    await Promise.any(writes);
    await victim.process.kill();
    await Promise.allSettled(writes);

    await eventually(async () => expect(await cluster.openTransactions()).toBe(0));
    for (const { id } of users) {
      const stored = await cluster.storedUser(id);
      for (const other of others) {
        expect((await other.get(`/users/${id}`)).json).toEqual(stored);
        // Its marks do not stay for ever: the answers are cached again.
        expect((await other.warm(`/users/${id}`)).json).toEqual(stored);
      }
    }

    await victim.process.restart();
    for (const { id } of users) {
      expect((await victim.warm(`/users/${id}`)).json).toEqual(await cluster.storedUser(id));
    }
  });
});
