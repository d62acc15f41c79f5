import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import type { RedisVersionStore } from '../../src/redis/redis-version-store.js';
import { RedisMonitor } from '../../../../test/support/redis-monitor.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { connected, freshNamespace, pass, tableKeys, versionStore } from './redis-harness.js';
import { versionStoreContract } from './version-store.contract.js';

const TABLE = 'public.users';
const LONG_MS = 600_000;

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(() => server.stop());

describe('RedisVersionStore', () => {
  versionStoreContract(async () => {
    const connection = await connected(server.url);
    return {
      store: versionStore(connection, freshNamespace()),
      pass,
      close: () => connection.close(),
    };
  });
});

describe('RedisVersionStore on Redis', () => {
  let connection: RedisConnection;
  let admin: Redis;
  let namespace: string;
  let store: RedisVersionStore;

  beforeEach(async () => {
    connection = await connected(server.url);
    admin = new Redis(server.port);
    namespace = freshNamespace();
    store = versionStore(connection, namespace);
    await store.rotate(TABLE, undefined, 'e1');
  });

  afterEach(async () => {
    await connection.close();
    admin.disconnect();
  });

  const mark = (writeId: string, ...names: string[]) => ({
    writeId,
    backendPid: 1,
    tables: [{ table: TABLE, names }],
  });

  /** The keys of each MGET that is sent while `work` runs. */
  async function mgetsDuring(work: () => Promise<unknown>): Promise<string[][]> {
    const monitor = await RedisMonitor.start(admin, new RegExp(`^${namespace}:`));
    try {
      await work();
      const commands = await monitor.commands();
      return commands.filter(([name]) => name === 'mget').map(([, ...keys]) => keys);
    } finally {
      monitor.stop();
    }
  }

  it('names the run_id of the server in its readings', async () => {
    const runId = /run_id:(\w+)/.exec(await admin.info('server'))?.[1];
    const [reading] = await store.read([{ table: TABLE, names: [] }]);
    const created = await store.create({ table: TABLE, names: ['*'] }, 't1');
    expect([reading?.node, created.node]).toEqual([runId, runId]);
  });

  it('reads all keys of one turn with one MGET, and each key once', async () => {
    await store.create({ table: TABLE, names: ['id=1', 'id=2'] }, 't1');
    const mgets = await mgetsDuring(() =>
      Promise.all([
        store.read([{ table: TABLE, names: ['id=1', 'id=2'] }]),
        Promise.resolve().then(() => store.read([{ table: TABLE, names: ['id=2', 'id=3'] }])),
        new Promise((resolve) => process.nextTick(resolve)).then(() =>
          store.read([{ table: 'public.posts', names: [] }]),
        ),
      ]),
    );
    expect(mgets).toHaveLength(1);
    // Two epochs, three versions, the number of the process.
    expect(mgets[0]).toHaveLength(6);
    expect(new Set(mgets[0]).size).toBe(6);
  });

  it('reads in the next turn with another MGET', async () => {
    const mgets = await mgetsDuring(async () => {
      await store.read([{ table: TABLE, names: ['id=1'] }]);
      await store.read([{ table: TABLE, names: ['id=1'] }]);
    });
    expect(mgets).toHaveLength(2);
  });

  it('gives versions a time to live, but not while they carry a mark', async () => {
    const keyOf = async (name: string): Promise<string> =>
      String((await tableKeys(admin, namespace)).find((key) => key.endsWith(`:v:${name}`)));
    await store.create({ table: TABLE, names: ['id=1', 'id=2'] }, 't1');
    const key = await keyOf('id=1');
    expect(await admin.pttl(key)).toBeGreaterThan(0);
    await store.begin(mark('w1', 'id=1'), 't2', LONG_MS);
    await store.begin(mark('w2', 'id=1'), 't3', LONG_MS);
    await store.end('w1', [TABLE], 't4');
    expect(await admin.pttl(key)).toBe(-1);
    await store.abort('w2', [TABLE]);
    expect(await admin.pttl(key)).toBeGreaterThan(0);
    expect(await admin.get(key)).toBe('e1.t4');
  });

  const lifeOf = (name: string) => admin.pttl(`${namespace}:db:{${TABLE}}:v:${name}`);

  it('keeps versions of values for a minute, or as long as an answer under them', async () => {
    const names = ['*', 'id?', 'id=1', 'id=2=?', 'id=3', 'id=4'];
    await store.create({ table: TABLE, names: names.slice(0, -1) }, 't1');
    await store.begin(mark('w1', 'id=3'), 't2', LONG_MS);
    await store.prolong({ table: TABLE, names: ['id=1', 'id=3', 'id=4'] }, LONG_MS);
    await store.prolong({ table: TABLE, names: ['id=1'] }, 1_000);
    const [whole, unknown, first, second, marked, missing] = await Promise.all(names.map(lifeOf));
    expect([whole, unknown, marked, missing]).toEqual([-1, -1, -1, -2]);
    expect(first).toBeGreaterThan(LONG_MS / 2);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThanOrEqual(60_000);
  });

  it('keeps versions that a write has replaced for a minute, whatever answers depended on them', async () => {
    await store.create({ table: TABLE, names: ['id=1', 'id=2'] }, 't1');
    await store.prolong({ table: TABLE, names: ['id=1', 'id=2'] }, LONG_MS);
    await store.begin(mark('w1', 'id=1'), 't2', LONG_MS);
    await store.end('w1', [TABLE], 't3');
    await store.begin(mark('w2', 'id=2'), 't4', LONG_MS);
    await store.abort('w2', [TABLE]);
    for (const life of [await lifeOf('id=1'), await lifeOf('id=2')]) {
      expect(life).toBeGreaterThan(0);
      expect(life).toBeLessThanOrEqual(60_000);
    }
  });

  it('leaves no key for a table that is never read', async () => {
    const tables = [{ table: 'public.unread', names: ['*', 'id=1'] }];
    const before = await tableKeys(admin, namespace);
    await store.begin({ writeId: 'w1', backendPid: 1, tables }, 't1', LONG_MS);
    expect(await tableKeys(admin, namespace)).toEqual(before);
  });

  it('leaves no key for a row that is never read', async () => {
    await store.create({ table: TABLE, names: ['*', 'id=0', 'id?'] }, 't1');
    const before = (await tableKeys(admin, namespace)).toSorted();
    for (let id = 1; id <= 100; id += 1) {
      await store.begin(mark(`w${id}`, '*', `id=${id}`), 't2', LONG_MS);
      await store.end(`w${id}`, [TABLE], 't3');
    }
    expect((await tableKeys(admin, namespace)).toSorted()).toEqual(before);
  });

  it('gives no key of a table a time to live while the table has a mark', async () => {
    await store.create({ table: TABLE, names: ['*', 'id=1'] }, 't1');
    await store.begin(mark('w1', '*', 'id=1'), 't2', 50);
    const keys = await tableKeys(admin, namespace);
    expect(keys).toHaveLength(4);
    expect(await Promise.all(keys.map((key) => admin.pttl(key)))).toEqual(keys.map(() => -1));
  });

  it('works after Redis has lost its scripts', async () => {
    await store.create({ table: TABLE, names: ['*'] }, 't0');
    await store.begin(mark('w1', '*'), 't1', LONG_MS);
    await admin.script('FLUSH');
    await store.end('w1', [TABLE], 't2');
    const [reading] = await store.read([{ table: TABLE, names: ['*'] }]);
    expect(reading?.versions).toEqual(['t2']);
  });

  it('publishes writes when the memory limit is reached', async () => {
    await store.create({ table: TABLE, names: ['*', 'id=1'] }, 't1');
    await admin.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
    try {
      await expect(admin.set('other', 'x')).rejects.toThrow('OOM');
      await store.begin(mark('w1', '*', 'id=1'), 't2', LONG_MS);
      const [reading] = await store.read([{ table: TABLE, names: ['*', 'id=1'] }]);
      expect(reading?.versions).toEqual(['t2!w1', 't2!w1']);
      await store.end('w1', [TABLE], 't3');
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
  });

  it('counts a write that Redis answers with an error as an outage, and names the script', async () => {
    await admin.acl('SETUSER', 'default', '-hset');
    try {
      await expect(store.begin(mark('w1', '*'), 't1', LONG_MS)).rejects.toThrow(
        /script begin-write: ERR (The user|ACL failure)/,
      );
    } finally {
      await admin.acl('SETUSER', 'default', '+hset');
    }
    expect(connection.state).toBe('down');
  });

  it('keeps services with other namespaces apart', async () => {
    const other = versionStore(connection, freshNamespace());
    await store.create({ table: TABLE, names: ['*'] }, 't1');
    const [reading] = await other.read([{ table: TABLE, names: ['*'] }]);
    expect(reading?.versions).toEqual([undefined]);
    expect(() => versionStore(connection, 'a{b')).toThrow(TypeError);
  });
});
