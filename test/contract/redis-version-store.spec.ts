import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/redis/redis-connection.js';
import type { RedisVersionStore } from '../../src/query-cache/stores/redis-version-store.js';
import { RedisServer } from '../support/redis-server.js';
import { connected, freshNamespace, pass, versionStore } from './redis-harness.js';
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

  async function mgetCalls(): Promise<number> {
    const stats = await admin.info('commandstats');
    return Number(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  it('names the run_id of the server in its readings', async () => {
    const runId = /run_id:(\w+)/.exec(await admin.info('server'))?.[1];
    const [reading] = await store.read([{ table: TABLE, names: [] }]);
    const created = await store.create({ table: TABLE, names: ['*'] }, 't1');
    expect([reading?.node, created.node]).toEqual([runId, runId]);
  });

  it('reads all that one turn asks for with one MGET, and each key once', async () => {
    await store.create({ table: TABLE, names: ['id=1', 'id=2'] }, 't1');
    const before = await mgetCalls();
    const monitor = await admin.monitor();
    const asked = new Promise<string[]>((resolve) => {
      monitor.on('monitor', (_time: string, words: string[]) => {
        if (words[0]?.toLowerCase() === 'mget') resolve(words.slice(1));
      });
    });
    await Promise.all([
      store.read([{ table: TABLE, names: ['id=1', 'id=2'] }]),
      Promise.resolve().then(() => store.read([{ table: TABLE, names: ['id=2', 'id=3'] }])),
      new Promise((resolve) => process.nextTick(resolve)).then(() =>
        store.read([{ table: 'public.posts', names: [] }]),
      ),
    ]);
    expect(await mgetCalls()).toBe(before + 1);
    const keys = await asked;
    monitor.disconnect();
    // Two epochs, three versions, the number of the process.
    expect(keys).toHaveLength(6);
    expect(new Set(keys).size).toBe(6);
  });

  it('reads in the turn after with another MGET', async () => {
    const before = await mgetCalls();
    await store.read([{ table: TABLE, names: ['id=1'] }]);
    await store.read([{ table: TABLE, names: ['id=1'] }]);
    expect(await mgetCalls()).toBe(before + 2);
  });

  it('gives versions a time to live, but none while a write is marked on them', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    const keyOf = async (name: string): Promise<string> =>
      String((await keysOf(admin, namespace)).find((key) => key.endsWith(`:v:${name}`)));
    await store.create({ table: TABLE, names: ['id=1', 'id=2'] }, 't1');
    const key = await keyOf('id=1');
    expect(await admin.pttl(key)).toBeGreaterThan(0);
    await store.begin(mark('w1', 'id=1'), 't2', LONG_MS);
    await store.begin(mark('w2', 'id=1'), 't3', LONG_MS);
    await store.end('w1', [TABLE], 't4');
    expect(await admin.pttl(key)).toBe(-1);
    await store.abort('w2', [TABLE]);
    expect(await admin.pttl(key)).toBeGreaterThan(0);
    expect(await admin.get(key)).toBe('t4');
  });

  it('keeps versions of values for a minute, and as long as an answer under them', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await store.create({ table: TABLE, names: ['*', 'id?', 'id+', 'id=1', 'id=2=?'] }, 't1');
    await store.begin(mark('w1', 'id=3'), 't2', LONG_MS);
    await store.prolong({ table: TABLE, names: ['id=1', 'id=3', 'id=4'] }, LONG_MS);
    await store.prolong({ table: TABLE, names: ['id=1'] }, 1_000);
    const lifeOf = (name: string) => admin.pttl(`${namespace}:db:{${TABLE}}:v:${name}`);
    const [whole, unknown, inserts, first, second, marked, missing] = await Promise.all(
      ['*', 'id?', 'id+', 'id=1', 'id=2=?', 'id=3', 'id=4'].map(lifeOf),
    );
    for (const life of [whole, unknown, inserts]) expect(life).toBeGreaterThan(LONG_MS);
    expect(first).toBeGreaterThan(LONG_MS / 2);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThanOrEqual(60_000);
    expect([marked, missing]).toEqual([-1, -2]);
  });

  it('leaves no key of a table that nobody reads', async () => {
    await store.begin(mark('w1', '*', 'id=1'), 't1', LONG_MS);
    const keys = await keysOf(admin, namespace);
    expect(keys.filter((key) => !key.includes('{i}'))).toEqual([]);
  });

  it('gives no key of a table a time to live while a write is marked on it', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await store.create({ table: TABLE, names: ['*', 'id=1'] }, 't1');
    await store.begin(mark('w1', '*', 'id=1'), 't2', 50);
    const keys = await keysOf(admin, namespace);
    expect(keys).toHaveLength(8);
    expect(await Promise.all(keys.map((key) => admin.pttl(key)))).toEqual(keys.map(() => -1));
  });

  it('survives that Redis forgets its scripts', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await store.begin(mark('w1', '*'), 't1', LONG_MS);
    await admin.script('FLUSH');
    await store.end('w1', [TABLE], 't2');
    const [reading] = await store.read([{ table: TABLE, names: ['*'] }]);
    expect(reading?.versions).toEqual(['t2']);
  });

  it('announces writes when the memory limit is reached', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await store.create({ table: TABLE, names: ['*'] }, 't1');
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

  it('takes marks that were evicted for lost data', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await store.begin(mark('w1', '*'), 't1', LONG_MS);
    const marks = (await keysOf(admin, namespace)).filter((key) => key.endsWith(':m'));
    expect(await admin.del(...marks)).toBe(1);
    await store.inspect({ table: TABLE, names: ['*'] }, 'x1');
    const [reading] = await store.read([{ table: TABLE, names: ['*'] }]);
    expect(reading?.versions).toEqual(['x1']);
    expect(reading?.epoch).toBe(`x1 ${reading?.node} settling`);
  });

  describe('when a version was dropped while a write was marked on it', () => {
    async function drop(name: string): Promise<void> {
      const keys = (await keysOf(admin, namespace)).filter((key) => key.endsWith(`:v:${name}`));
      expect(await admin.del(...keys)).toBe(1);
    }

    const versionOf = async (name: string): Promise<string | undefined> =>
      (await store.read([{ table: TABLE, names: [name] }]))[0]?.versions[0];

    beforeEach(async () => {
      await store.rotate(TABLE, undefined, 'e1');
      await store.begin(mark('w1', '*', 'id="1"'), 't1', LONG_MS);
      await store.begin(mark('w2', 'id=2'), 't1', LONG_MS);
      await drop('id="1"');
    });

    it('creates it with the mark', async () => {
      const created = await store.create({ table: TABLE, names: ['id="1"', 'id=3'] }, 't2');
      expect(created.versions).toEqual(['t2!w1', 't2']);
      await store.end('w1', [TABLE], 't3');
      expect(await versionOf('id="1"')).toBe('t3');
    });

    it('adds the mark of another write to it', async () => {
      await store.begin(mark('w3', 'id="1"'), 't2', LONG_MS);
      expect(await versionOf('id="1"')).toBe('t2!w1!w3');
      await store.end('w3', [TABLE], 't3');
      expect(await versionOf('id="1"')).toBe('t3!w1');
    });

    it('keeps the mark when another write ends', async () => {
      await store.begin(mark('w3', 'id="1"'), 't2', LONG_MS);
      await drop('id="1"');
      await store.end('w3', [TABLE], 't3');
      expect(await versionOf('id="1"')).toBe('t3!w1');
    });
  });

  it('takes a write that Redis answers with an error for an outage, and names the script', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await admin.acl('SETUSER', 'default', '-hset');
    try {
      await expect(store.begin(mark('w1', '*'), 't1', LONG_MS)).rejects.toThrow(
        /script begin-write: ERR The user/,
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

async function keysOf(admin: Redis, namespace: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const keys of admin.scanStream({ match: `${namespace}:*` })) {
    found.push(...(keys as string[]));
  }
  return found;
}
