/** Losses of a table's data in Redis, and their detection. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import type { RedisVersionStore } from '../../src/redis/redis-version-store.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { connected, freshNamespace, tableKeys, versionStore } from './redis-harness.js';

const TABLE = 'public.users';
const LONG_MS = 600_000;

describe('RedisVersionStore on a Redis that loses data', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  let admin: Redis;
  let namespace: string;
  let store: RedisVersionStore;

  beforeAll(async () => {
    server = await RedisServer.start();
    connection = await connected(server.url);
    admin = new Redis(server.port);
  });

  afterAll(async () => {
    await connection.close();
    admin.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    namespace = freshNamespace();
    store = versionStore(connection, namespace);
    await store.rotate(TABLE, undefined, 'e1');
  });

  const mark = (writeId: string, ...names: string[]) => ({
    writeId,
    backendPid: 1,
    tables: [{ table: TABLE, names }],
  });

  const versions = { table: TABLE, names: ['*', 'region=US', 'region?'] };
  const NEXT_STEPS: Readonly<Record<string, () => Promise<unknown>>> = {
    create: () => store.create(versions, 't3'),
    begin: () => store.begin(mark('w2', '*'), 't3', LONG_MS),
    end: () => store.end('w1', [TABLE], 't3'),
    abort: () => store.abort('w1', [TABLE]),
    inspect: () => store.inspect({ table: TABLE, names: [] }),
    settle: () => store.settle(TABLE, 'w1', 't3'),
    renew: () => store.renew(TABLE, 'w1', '1', LONG_MS),
  };

  describe.each([
    ['the marks and dimensions', /:m$/],
    ['all but the epoch', /:(m|v:.*)$/],
  ])('where %s are lost while a write is under way', (_, lost) => {
    it.each(Object.keys(NEXT_STEPS))('%s drops the epoch, and no version counts', async (step) => {
      await store.create(versions, 't1');
      await store.begin(mark('w1', '*'), 't2', LONG_MS);
      const keys = (await tableKeys(admin, namespace)).filter((key) => lost.test(key));
      expect(await admin.del(...keys)).toBe(keys.length);
      await NEXT_STEPS[step]?.();
      const [reading] = await store.read([versions]);
      expect(reading).toMatchObject({
        epoch: undefined,
        versions: [undefined, undefined, undefined],
      });
      await store.rotate(TABLE, undefined, 'e2');
      const [next] = await store.read([versions]);
      expect(next?.epoch).toMatch(/^e2 \w+ settling$/);
      expect(next?.versions).toEqual([undefined, undefined, undefined]);
    });
  });

  it.each(Object.keys(NEXT_STEPS))(
    'where a mark is lost with its versions, %s drops the epoch',
    async (step) => {
      await store.create(versions, 't1');
      await store.begin(mark('w0', 'id=7'), 't2', LONG_MS);
      await store.begin(mark('w1', '*'), 't2', LONG_MS);
      expect(await admin.hdel(`${namespace}:db:{${TABLE}}:m`, 'w1')).toBe(1);
      const keys = (await tableKeys(admin, namespace)).filter((key) => /:v:/.test(key));
      await admin.del(...keys);
      await NEXT_STEPS[step]?.();
      expect((await store.read([versions]))[0]?.epoch).toBeUndefined();
    },
  );

  it('treats the removal of a marked version as lost data', async () => {
    await store.create({ table: TABLE, names: ['*'] }, 't1');
    await store.begin(mark('w1', '*'), 't2', LONG_MS);
    expect(await admin.hdel(`${namespace}:db:{${TABLE}}:m`, 'w1')).toBe(1);
    await store.inspect({ table: TABLE, names: ['*'] });
    expect((await store.read([{ table: TABLE, names: [] }]))[0]?.epoch).toBeUndefined();
  });

  describe('when a version was dropped while a write was marked on it', () => {
    async function drop(name: string): Promise<void> {
      const keys = (await tableKeys(admin, namespace)).filter((key) => key.endsWith(`:v:${name}`));
      expect(await admin.del(...keys)).toBe(1);
    }

    const versionOf = async (name: string): Promise<string | undefined> =>
      (await store.read([{ table: TABLE, names: [name] }]))[0]?.versions[0];

    beforeEach(async () => {
      await store.create({ table: TABLE, names: ['id="1"', 'id=2'] }, 't0');
      await store.begin(mark('w1', '*', 'id="1"'), 't1', LONG_MS);
      await store.begin(mark('w2', 'id=2'), 't1', LONG_MS);
      await drop('id="1"');
    });

    it('the next create restores it with the mark', async () => {
      const created = await store.create({ table: TABLE, names: ['id="1"', 'id=3'] }, 't2');
      expect(created.versions).toEqual(['t2!w1', 't2']);
      await store.end('w1', [TABLE], 't3');
      expect(await versionOf('id="1"')).toBe('t3');
    });

    it('keeps the mark when another write begins and ends', async () => {
      await store.begin(mark('w3', 'id="1"'), 't2', LONG_MS);
      await store.end('w3', [TABLE], 't3');
      expect(await versionOf('id="1"')).toBeUndefined();
      await store.create({ table: TABLE, names: ['id="1"'] }, 't4');
      expect(await versionOf('id="1"')).toBe('t4!w1');
    });
  });
});
