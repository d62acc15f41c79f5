/** Values that other clients of Redis put under the keys of entries. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { createHmac } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { CacheEntry } from '../../src/core/ports/entry-store.js';
import { encodeEntry } from '../../src/redis/entry-codec.js';
import { EntrySeal, type EntryRefusal } from '../../src/redis/entry-seal.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { connected, entryStore, freshNamespace } from './redis-harness.js';

const SECRET = 'the secret of all';

const createdAtMs = Date.now();
const entry: CacheEntry = {
  stamp: 'public.users@e1 node\nid=1:t1\n',
  body: Buffer.from('[{"id":1}]'),
  empty: false,
  tag: 'abc',
  createdAtMs,
  expiresAtMs: createdAtMs + 600_000,
  headers: { link: '</users?after=1>; rel="next"' },
};

let server: RedisServer;
let connection: RedisConnection;
let admin: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  connection = await connected(server.url);
  admin = new Redis(server.port);
});

afterAll(async () => {
  admin.disconnect();
  await connection.close();
  await server.stop();
});

let namespace: string;
let refusals: EntryRefusal[];
const onRefused = (reason: EntryRefusal): unknown => refusals.push(reason);
const keyOf = (key: string): string => `${namespace}:e:{${key}}`;
const storeWith = (...secrets: [string, ...string[]]) =>
  entryStore(connection, namespace, { seal: new EntrySeal(secrets), onRefused });

beforeEach(() => {
  namespace = freshNamespace();
  refusals = [];
});

describe('a value of another client under the key of an entry', () => {
  const code = '_function_then|function(done){ globalThis.planted = true; done([]) }';
  const sealed = async (change: (bytes: Buffer) => Buffer): Promise<Buffer> => {
    const bytes = (await encodeEntry(entry, 1_000_000)) ?? Buffer.alloc(0);
    return new EntrySeal([SECRET]).seal(keyOf('k'), change(bytes));
  };
  const forged = async (): Promise<Buffer> => {
    const bytes = (await sealed((same) => same)).subarray(35);
    const mac = createHmac('sha256', 'a guess')
      .update(`${keyOf('k')}\0`)
      .update(bytes)
      .digest();
    return Buffer.concat([Buffer.from('tm2'), mac, bytes]);
  };

  it.each<[string, EntryRefusal, () => Promise<unknown>]>([
    ['code', 'form', () => admin.set(keyOf('k'), `{"then":${JSON.stringify(code)}}`)],
    ['code in a text', 'form', () => admin.set(keyOf('k'), JSON.stringify(code))],
    ['a prototype', 'form', () => admin.set(keyOf('k'), '{"__proto__":{"body":"x"}}')],
    ['an entry of an older release', 'form', () => admin.set(keyOf('k'), '"tm1:r:AAAA"')],
    ['bytes that are no UTF-8', 'form', () => admin.set(keyOf('k'), Buffer.alloc(90, 0xff))],
    ['the beginning of an entry', 'form', () => admin.set(keyOf('k'), 'tm2')],
    ['the right beginning', 'seal', () => admin.set(keyOf('k'), `tm2${'x'.repeat(200)}`)],
    ['more than an entry may have', 'form', () => admin.setrange(keyOf('k'), 300_000_000, 'x')],
    ['a list', 'form', () => admin.lpush(keyOf('k'), 'x')],
    ['a hash', 'form', () => admin.hset(keyOf('k'), 'body', 'x')],
    ['a seal of a guess', 'seal', async () => admin.set(keyOf('k'), await forged())],
    [
      'a sealed entry that was cut short',
      'seal',
      async () => admin.set(keyOf('k'), (await sealed((same) => same)).subarray(0, -1)),
    ],
    [
      'a bomb under a good seal',
      'form',
      async () => {
        const bomb = Buffer.concat([Buffer.from('z'), deflateSync(Buffer.alloc(50_000_000))]);
        return admin.set(keyOf('k'), await sealed(() => bomb));
      },
    ],
    [
      'a header that no entry has, under a good seal',
      'form',
      async () => {
        const headers = { 'set-cookie': 'session=1' };
        const bytes = (await encodeEntry({ ...entry, headers }, 1_000_000)) ?? Buffer.alloc(0);
        return admin.set(keyOf('k'), await sealed(() => bytes));
      },
    ],
  ])('is a miss and the next entry replaces it: %s', async (_what, reason, plant) => {
    const store = storeWith(SECRET);
    await plant();
    expect(await store.get('k')).toBeUndefined();
    expect(refusals).toEqual([reason]);
    expect(globalThis).not.toHaveProperty('planted');
    await store.set('k', entry);
    expect(await store.get('k')).toEqual(entry);
    expect(refusals).toHaveLength(1);
    expect(connection.state).toBe('up');
  });

  it('is a miss where it is a copy of another entry', async () => {
    const store = storeWith(SECRET);
    await store.set('other', entry);
    await admin.copy(keyOf('other'), keyOf('k'));
    expect(await store.get('k')).toBeUndefined();
    expect(refusals).toEqual(['seal']);
    expect(await store.get('other')).toEqual(entry);
  });
});

describe('secrets of entries', () => {
  it('are replaced one after the other: the first seals, all are accepted', async () => {
    const [old, both, young] = [
      storeWith('the old secret'),
      storeWith('the new secret', 'the old secret'),
      storeWith('the new secret'),
    ];
    await old.set('a', entry);
    expect(await both.get('a')).toEqual(entry);
    expect(await young.get('a')).toBeUndefined();
    await both.set('b', entry);
    expect(await young.get('b')).toEqual(entry);
    expect(await old.get('b')).toBeUndefined();
    expect(refusals).toEqual(['seal', 'seal']);
  });
});
