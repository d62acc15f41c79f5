import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisCommandError } from '../../src/redis/redis.errors.js';
import type { RedisConnection } from '../../src/redis/redis-connection.js';
import { RedisVersionStore } from '../../src/query-cache/stores/redis-version-store.js';
import { RedisServer } from '../support/redis-server.js';
import { connected, freshNamespace, pass } from './redis-harness.js';
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
      store: new RedisVersionStore(connection, freshNamespace()),
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
    store = new RedisVersionStore(connection, namespace);
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
    expect(keys).toHaveLength(5);
    expect(new Set(keys).size).toBe(5);
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

  it('leaves no key of a table that nobody reads', async () => {
    await store.begin(mark('w1', '*', 'id=1'), 't1', LONG_MS);
    expect(await keysOf(admin, namespace)).toEqual([]);
  });

  it('gives no key of a table a time to live while a write is marked on it', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await store.create({ table: TABLE, names: ['*', 'id=1'] }, 't1');
    await store.begin(mark('w1', '*', 'id=1'), 't2', 50);
    const keys = await keysOf(admin, namespace);
    expect(keys).toHaveLength(6);
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

  it('names the script in an error, and stays up', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    await admin.set(`${namespace}:{${TABLE}}:m`, 'no hash');
    await expect(store.begin(mark('w1', '*'), 't1', LONG_MS)).rejects.toThrow(
      /script begin-write: .*WRONGTYPE/,
    );
    expect(connection.state).toBe('up');
  });

  it('keeps services with other namespaces apart', async () => {
    const other = new RedisVersionStore(connection, freshNamespace());
    await store.create({ table: TABLE, names: ['*'] }, 't1');
    const [reading] = await other.read([{ table: TABLE, names: ['*'] }]);
    expect(reading?.versions).toEqual([undefined]);
    expect(() => new RedisVersionStore(connection, 'a{b')).toThrow(TypeError);
  });
});

describe('RedisVersionStore on a cluster node', () => {
  let node: RedisServer;
  let client: Redis;
  let connection: RedisConnection;

  beforeAll(async () => {
    node = await RedisServer.start({ config: { 'cluster-enabled': 'yes' } });
    await node.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while ((await node.command('GET', 'x')).startsWith('-CLUSTERDOWN')) await delay(20);
    client = new Redis(node.port);
    // A real connection refuses a cluster; its node still tells which keys lie in one slot.
    const send = async <T>(name: string, command: (redis: Redis, runId: string) => Promise<T>) => {
      try {
        return { value: await command(client, 'node'), node: 'node' };
      } catch (error) {
        const text = (error as Error).message;
        throw new RedisCommandError(name, text.split(' ', 1)[0] ?? '', text);
      }
    };
    connection = { send, sendUrgently: send } as unknown as RedisConnection;
  });

  afterAll(async () => {
    client.disconnect();
    await node.stop();
  });

  it.each(['public.users', '}odd{', '{}'])('touches one slot in each script: %s', async (table) => {
    const store = new RedisVersionStore(connection, freshNamespace());
    await store.rotate(table, undefined, 'e1');
    await store.create({ table, names: ['*', 'id=1', 'region?'] }, 't1');
    const tables = [{ table, names: ['*', 'id=}{2'] }];
    await store.begin({ writeId: 'w1', backendPid: 1, tables }, 't2', 1);
    await pass(1);
    await store.inspect({ table, names: ['*'] }, 't3');
    await store.renew(table, 'w1', '1', 1);
    await pass(1);
    await store.settle(table, 'w1', 't4');
    await store.begin({ writeId: 'w2', backendPid: 1, tables }, 't5', LONG_MS);
    await store.abort('w2', [table]);
    await store.begin({ writeId: 'w3', backendPid: 1, tables }, 't6', LONG_MS);
    await store.end('w3', [table], 't7');
    const names = ['*', 'id=1', 'id=}{2', 'region?'];
    const [reading] = await store.read([{ table, names }]);
    expect(reading?.versions).toEqual(['t7', 't1', 't7', 't7']);
    expect(await store.settleEpoch(table, reading?.epoch ?? '')).toBe(true);
  });
});

describe('RedisVersionStore over restarts', () => {
  let own: RedisServer;
  let connection: RedisConnection;
  let store: RedisVersionStore;

  beforeEach(async () => {
    own = await RedisServer.start();
    connection = await connected(own.url);
    store = new RedisVersionStore(connection, freshNamespace());
  });

  afterEach(async () => {
    await connection.close();
    await own.stop();
  });

  async function readingWhenBack() {
    for (;;) {
      try {
        const [reading] = await store.read([{ table: TABLE, names: ['*'] }]);
        if (reading) return reading;
      } catch {
        await delay(10);
      }
    }
  }

  it('shows that a snapshot came back under another server', async () => {
    const before = await store.create({ table: TABLE, names: ['*'] }, 't1');
    await store.rotate(TABLE, undefined, 'e1');
    await own.save();
    await own.restart();
    const after = await readingWhenBack();
    expect(after.versions).toEqual(['t1']);
    expect(after.epoch).toBe(`e1 ${before.node} settling`);
    expect(after.node).not.toBe(before.node);
    expect(await store.rotate(TABLE, after.epoch, 'e2')).toBe(true);
    expect((await readingWhenBack()).epoch).toBe(`e2 ${after.node} settling`);
  });

  it('shows that all data are gone', async () => {
    const before = await store.create({ table: TABLE, names: ['*'] }, 't1');
    await own.save();
    await own.restart({ empty: true });
    const after = await readingWhenBack();
    expect(after).toMatchObject({ epoch: undefined, versions: [undefined] });
    expect(after.node).not.toBe(before.node);
  });

  it('never names one server for what another answered', async () => {
    // Each life of the server holds its own run_id as the version, so that any mix-up shows.
    let lives = 0;
    const seen = new Set<string>();
    let isRunning = true;
    const reader = (async () => {
      while (isRunning) {
        try {
          const [reading] = await store.read([{ table: TABLE, names: ['*'] }]);
          const owner = reading?.versions[0];
          if (owner !== undefined && reading?.node !== undefined) {
            seen.add(owner);
            if (owner !== reading.node) throw new TypeError(`${owner} is not ${reading.node}`);
          }
        } catch (error) {
          if (error instanceof TypeError) throw error;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    while (lives < 3) {
      const { node } = await readingWhenBack();
      await store.create({ table: TABLE, names: ['*'] }, node ?? '');
      while (!seen.has(node ?? '')) await delay(1);
      await own.restart({ empty: true });
      lives += 1;
    }
    isRunning = false;
    await reader;
    expect(seen.size).toBe(lives);
  });
});

async function keysOf(admin: Redis, namespace: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const keys of admin.scanStream({ match: `${namespace}:*` })) {
    found.push(...(keys as string[]));
  }
  return found;
}
