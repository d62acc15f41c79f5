/** An application whose Redis user has the documented rules, and one that loses a permission. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { CacheHealth, defineQuery } from '../../src/index.js';
import { documentedAclRules, PASSWORD, USER } from '../../../../test/support/documented-acl.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { Customer } from '../fixtures/entities.js';
import { Outside } from '../outbox/outside.js';

const ID = 1;

const visits = defineQuery({
  name: 'customers.visits',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.id = :id', { id }),
  map: ({ visits: count }: Customer) => count,
}).bind({ id: ID });

let redis: RedisServer;
let admin: Redis;
let outside: Outside;

beforeAll(async () => {
  redis = await RedisServer.start();
  admin = new Redis(redis.port);
  await setUser(...documentedAclRules());
  outside = await Outside.open({
    entities: [Customer],
    cache: { redis: { url: redis.url.replace('//', `//${USER}:${PASSWORD}@`) } },
  });
  await outside.client.query(`INSERT INTO customers (name, region) VALUES ('Ada', 'US')`);
});

afterAll(async () => {
  await outside.close();
  admin.disconnect();
  await redis.stop();
});

const setUser = (...rules: readonly string[]) => admin.call('ACL', 'SETUSER', USER, ...rules);
const health = () => outside.app.get(CacheHealth).check();
const write = (count: number) =>
  outside.app.source.getRepository(Customer).update(ID, { visits: count });
const read = () => outside.app.observe(() => outside.app.cache.run(visits));

async function expectHits(count: number): Promise<void> {
  // After an outage the epochs are replaced in the background, which may end an answer once more.
  await eventually(async () => {
    expect(await read()).toEqual({ value: count, outcomes: ['hit'] });
  });
}

describe('a Redis user with the documented rules', () => {
  it('can run every operation of the cache', async () => {
    expect(health()).toEqual({ status: 'up' });
    await expectHits(0);
    await write(1);
    expect(await read()).toMatchObject({ value: 1 });
    await expectHits(1);
    await outside.relayed(() => outside.client.query('UPDATE customers SET visits = 2'));
    expect(await read()).toMatchObject({ value: 2 });
    await expectHits(2);
    const refused = (await admin.acl('LOG')) as unknown[];
    expect(refused.filter((entry) => !String(entry).includes('client|setname'))).toEqual([]);
  });
});

describe('a Redis user that loses a permission', () => {
  it.each(['time', 'hset', 'evalsha', 'mget'])(
    'serves nothing from the cache without %s, from the first write on',
    async (command) => {
      await write(10);
      await expectHits(10);
      await setUser(`-${command}`);
      await write(11);
      expect(await read()).toEqual({ value: 11, outcomes: ['bypass'] });
      await eventually(() =>
        expect(health()).toMatchObject({
          status: 'degraded',
          detail: expect.stringMatching(new RegExp(`\\b${command}\\b`, 'i')),
        }),
      );
      await write(12);
      expect(await read()).toEqual({ value: 12, outcomes: ['bypass'] });
      await setUser(`+${command}`);
      await eventually(() => expect(health()).toEqual({ status: 'up' }));
      await expectHits(12);
    },
  );

  it('serves nothing old after a write that Redis has answered with an error', async () => {
    await write(20);
    await expectHits(20);
    const [epoch = ''] = await admin.keys('tidemark:*{public.customers}:e');
    await admin.set(epoch.replace(/e$/, 'm'), 'no hash');
    await write(21);
    expect(await read()).toMatchObject({ value: 21, outcomes: [expect.not.stringMatching('hit')] });
    await expectHits(21);
  });
});
