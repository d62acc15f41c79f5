import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Cluster } from './support/cluster.js';
import { expectProblem } from './support/problem.js';

const STARTING_MS = 180_000;

describe('three instances whose Redis is in trouble', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ REDIS_TIMEOUT_MS: '200' });
  }, STARTING_MS);
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    cluster.redis.resume();
    if (!(await isAnswering())) await cluster.redis.restart();
    await allSay('ok');
  });

  async function isAnswering(): Promise<boolean> {
    return cluster.redis.command('PING').then(
      (reply) => reply.startsWith('+PONG'),
      () => false,
    );
  }

  async function allSay(status: 'ok' | 'degraded'): Promise<void> {
    for (const instance of cluster.instances) {
      await eventually(async () => expect(await instance.health()).toBe(status));
    }
  }

  const troubles = [
    {
      trouble: 'stands still',
      start: async () => cluster.redis.pause(),
      end: async () => cluster.redis.resume(),
    },
    {
      trouble: 'is killed and comes back empty',
      start: () => cluster.redis.kill(),
      end: () => cluster.redis.restart({ empty: true }),
    },
  ];

  it.each(troubles)('answer on, and rightly, when it $trouble', async ({ start, end }) => {
    const { id, region } = await cluster.createUser();
    const user = `/users/${id}`;
    for (const instance of cluster.instances) await instance.warm(user);

    await start();
    for (const instance of cluster.instances) {
      expect(await instance.get(user)).toMatchObject({ status: 200, json: { id, region } });
    }
    await allSay('degraded');
    const [writer] = cluster.instances;
    expect((await writer.patch(user, { region: 'DURING' })).status).toBe(200);
    for (const instance of cluster.instances) {
      const answer = await instance.get(user);
      expect(answer.json).toMatchObject({ region: 'DURING' });
      expect(answer.cache).toBe('bypass');
    }

    await end();
    for (const instance of cluster.instances) {
      expect((await instance.get(user)).json).toMatchObject({ region: 'DURING' });
    }
    await allSay('ok');
    for (const instance of cluster.instances) {
      expect((await instance.warm(user)).json).toMatchObject({ region: 'DURING' });
    }
  });

  it('are not misled by a Redis that comes back with old data', async () => {
    const { id } = await cluster.createUser();
    const user = `/users/${id}`;
    const [writer, reader, newcomer] = cluster.instances;
    await writer.warm(user);
    await cluster.redis.save();
    await writer.patch(user, { region: 'LATER' });
    await reader.warm(user);

    await cluster.redis.restart();
    for (const instance of cluster.instances) {
      expect((await instance.get(user)).json).toMatchObject({ region: 'LATER' });
    }
    // One that remembers nothing has only the old data to go by.
    await newcomer.process.restart();
    expect((await newcomer.get(user)).json).toMatchObject({ region: 'LATER' });
    expect((await newcomer.warm(user)).json).toMatchObject({ region: 'LATER' });
  });

  it('start without it, and take it up when it comes', async () => {
    const { id } = await cluster.createUser();
    const [instance] = cluster.instances;
    await cluster.redis.kill();
    await instance.process.restart();
    expect(await instance.get(`/users/${id}`)).toMatchObject({ status: 200, json: { id } });
    expect(await instance.health()).toBe('degraded');
    await cluster.redis.restart();
    await instance.warm(`/users/${id}`);
  });

  it('refuse writes where that is the policy', async () => {
    const strict = await cluster.startInstance({ CACHE_WRITE_POLICY: 'refuse' });
    try {
      const { id, region } = await cluster.createUser();
      const user = `/users/${id}`;
      await strict.warm(user);
      await cluster.redis.kill();

      const refused = await strict.patch(user, { region: 'NEVER' });
      expectProblem(refused, 503);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(await cluster.storedUser(id)).toMatchObject({ region });
      expect((await strict.get(user)).json).toMatchObject({ region });

      await cluster.redis.restart();
      await eventually(async () => {
        expect((await strict.patch(user, { region: 'AGAIN' })).status).toBe(200);
      });
      expect((await strict.get(user)).json).toMatchObject({ region: 'AGAIN' });
    } finally {
      await strict.process.stop();
    }
  });

  it('say so once in the log, not with every request', async () => {
    const { id } = await cluster.createUser();
    const [instance] = cluster.instances;
    await instance.warm(`/users/${id}`);
    const before = instance.process.log.length;
    await cluster.redis.kill();
    for (let i = 0; i < 30; i += 1) await instance.get(`/users/${id}`);
    await eventually(async () => expect(await instance.health()).toBe('degraded'));
    const lines = instance.process.log.slice(before).split('\n');
    expect(lines.filter((line) => /redis/i.test(line))).toHaveLength(1);
  });
});
