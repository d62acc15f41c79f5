import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import type { CacheEntry, EntryStore } from '../../src/core/ports/entry-store.js';
import { RedisUnavailableError } from '../../src/redis/connection/redis.errors.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { connected, down, entryStore, freshNamespace, pass, up } from './redis-harness.js';

const LONG_MS = 600_000;

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});

afterAll(() => server.stop());

function entryWith(fields: Partial<CacheEntry> = {}): CacheEntry {
  const createdAtMs = Date.now();
  return {
    stamp: 'public.users@e1 node\nid=1:t1\n',
    body: Buffer.from('[{"id":1}]'),
    empty: false,
    tag: 'abc',
    createdAtMs,
    expiresAtMs: createdAtMs + LONG_MS,
    headers: { link: '</users?after=1>; rel="next"' },
    ...fields,
  };
}

describe('RedisEntryStore', () => {
  let connection: RedisConnection;
  let admin: Redis;
  let namespace: string;
  let store: EntryStore;

  beforeEach(async () => {
    connection = await connected(server.url);
    admin = new Redis(server.port);
    namespace = freshNamespace();
    store = entryStore(connection, namespace);
  });

  afterEach(async () => {
    await connection.close();
    admin.disconnect();
  });

  it('answers undefined where there is no entry', async () => {
    expect(await store.get('none')).toBeUndefined();
  });

  it.each([
    ['a short one', Buffer.from('[{"id":1}]')],
    ['an empty one', Buffer.alloc(0)],
    ['a long one', Buffer.from(JSON.stringify(Array.from({ length: 5_000 }, (_, id) => ({ id }))))],
    ['bytes that do not compress', randomBytes(100_000)],
    ['what telejson would revive', Buffer.from('"_date_2020-01-01" "_function_a|() => 1" _NaN_')],
  ])('returns every byte: %s', async (_, body) => {
    const entry = entryWith({ body });
    await store.set('k', entry);
    expect(await store.get('k')).toEqual(entry);
  });

  it('returns all fields unchanged', async () => {
    const entry = entryWith({
      empty: true,
      stamp: '_undefined_ "quoted" {json:}\n\u0000ü😀',
      tag: '_date_2020',
      headers: { 'x-odd': '_symbol_x' },
    });
    await store.set('k', entry);
    expect(await store.get('k')).toEqual(entry);
  });

  it('reports each of several entries of one key once it has been sent, in any order', async () => {
    const long = entryWith({ body: randomBytes(400_000), tag: 'long' });
    const short = entryWith({ tag: 'short' });
    const sent: string[] = [];
    const storing = [long, short].map((entry) =>
      store
        .set('k', entry, () => sent.push(entry.tag))
        .then(() => sent.push(`${entry.tag} stored`)),
    );
    await Promise.all(storing);
    // The long one is deflated first.
    expect(sent.indexOf('short')).toBeLessThan(sent.indexOf('short stored'));
    expect(sent.indexOf('long')).toBeLessThan(sent.indexOf('long stored'));
    expect(sent.indexOf('short stored')).toBeLessThan(sent.indexOf('long stored'));
    expect(sent).toHaveLength(4);
    expect((await store.get('k'))?.tag).toBe('long');
  });

  it('waits for entries that are being sent', async () => {
    void store.set('k', entryWith({ body: randomBytes(400_000) }));
    void store.set('l', entryWith());
    await store.drain();
    const found = await Promise.all([store.get('k'), store.get('l')]);
    expect(found.map((entry) => entry !== undefined)).toEqual([true, true]);
  });

  it('gives other instances the entry, and after a second write the last one', async () => {
    const second = await connected(server.url);
    await store.set('k', entryWith());
    const later = entryWith({ tag: 'later' });
    await store.set('k', later);
    expect(await entryStore(second, namespace).get('k')).toEqual(later);
    expect(await entryStore(second, freshNamespace()).get('k')).toBeUndefined();
    await second.close();
  });

  it('lets Redis drop the entry when it expires, also at a fraction of a millisecond', async () => {
    await store.set('k', entryWith({ expiresAtMs: Date.now() + 60_000.4 }));
    const leftMs = await admin.pttl(`${namespace}:e:{k}`);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_001);
    await store.set('short', entryWith({ expiresAtMs: Date.now() + 20.5 }));
    await pass(25);
    expect(await admin.exists(`${namespace}:e:{short}`)).toBe(0);
  });

  it('neither stores nor returns an expired entry', async () => {
    const entry = entryWith();
    await store.set('old', { ...entry, expiresAtMs: entry.createdAtMs - 1 });
    expect(await admin.exists(`${namespace}:e:{old}`)).toBe(0);
    await store.set('k', entry);
    const later = { nowMs: () => entry.expiresAtMs };
    expect(await entryStore(connection, namespace, { clock: later }).get('k')).toBeUndefined();
    expect(await store.get('k')).toEqual(entry);
  });

  it('rejects where Redis refuses a write, and stays up', async () => {
    await admin.config('SET', 'maxmemory', '1');
    try {
      await expect(store.set('k', entryWith())).rejects.toThrow(/SET of an entry: OOM/);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
    expect(connection.state).toBe('up');
  });

  it('has no part of the answer in its errors', async () => {
    await admin.config('SET', 'maxmemory', '1');
    const failure = await store.set('k', entryWith({ tag: 'confidential' })).then(
      () => undefined,
      (error: unknown) => error,
    );
    await admin.config('SET', 'maxmemory', '0');
    expect(failure).toBeInstanceOf(Error);
    expect(Object.keys(failure as Error)).toEqual(['replyCode']);
    expect((failure as Error).cause).toBeUndefined();
  });
});

describe('RedisEntryStore in an outage', () => {
  it('rejects while Redis is away, and works again after', async () => {
    const own = await RedisServer.start();
    const connection = await connected(own.url);
    const store = entryStore(connection, freshNamespace());
    await own.kill();
    await down(connection);
    await expect(store.get('k')).rejects.toBeInstanceOf(RedisUnavailableError);
    await expect(store.set('k', entryWith())).rejects.toBeInstanceOf(RedisUnavailableError);
    await own.restart();
    await up(connection);
    const entry = entryWith();
    await store.set('k', entry);
    expect(await store.get('k')).toEqual(entry);
    await connection.close();
    await own.stop();
  });
});
