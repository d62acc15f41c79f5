import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Cluster } from './support/cluster.js';

const STARTING_MS = 180_000;

describe('three instances whose Redis is in trouble', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ REDIS_TIMEOUT_MS: '200' });
  }, STARTING_MS);
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    if (!(await isAnswering())) await cluster.redis.restart();
    await allSayOk();
  });

  async function isAnswering(): Promise<boolean> {
    return cluster.redis.command('PING').then(
      (reply) => reply.startsWith('+PONG'),
      () => false,
    );
  }

  async function allSayOk(): Promise<void> {
    for (const instance of cluster.instances) {
      await eventually(async () => expect(await instance.health()).toBe('ok'));
    }
  }

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
