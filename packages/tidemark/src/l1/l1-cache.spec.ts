import { describe, expect, it } from 'vitest';
import { randomBytes } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { CacheEntry } from '../core/ports/entry-store.js';
import { L1Cache } from './l1-cache.js';
import { L1Entry } from './l1-entry.js';

const entryOf = (body: Buffer, fields: Partial<CacheEntry> = {}): CacheEntry => ({
  stamp: 's',
  body,
  empty: false,
  tag: 't',
  createdAtMs: 1,
  expiresAtMs: 2,
  headers: {},
  ...fields,
});
const USERS = 'public.users';
const US = [{ table: USERS, names: ['region=US', 'region?'] }];
const compressible = (bytes: number): Buffer => Buffer.alloc(bytes, '{"id":1,"username":"user1"},');

describe('L1Cache', () => {
  it('returns the entry that was set last', () => {
    const cache = new L1Cache(100_000);
    expect(cache.get('k')).toBeUndefined();
    cache.set('k', entryOf(Buffer.from('old')), US);
    const kept = cache.set('k', entryOf(Buffer.from('new'), { headers: { link: 'l' } }), US);
    expect(cache.get('k')).toBe(kept);
    expect(kept).toMatchObject({ ...entryOf(Buffer.from('new')), headers: { link: 'l' } });
    expect(cache.size).toBe(1);
  });

  it('counts bodies, stamps and headers, and an overhead per entry', () => {
    const cache = new L1Cache(1_000_000);
    cache.set('a', entryOf(Buffer.alloc(1_000)), US);
    const first = cache.bytes;
    expect(first).toBeGreaterThan(1_000);
    cache.set(
      'b',
      entryOf(Buffer.alloc(1_500), { stamp: 'x'.repeat(301), headers: { h: 'v' } }),
      US,
    );
    expect(cache.bytes).toBe(2 * first + 500 + 300 + 2);
  });

  it('never exceeds its limit, and drops the least recently used entry', () => {
    const cache = new L1Cache(10_000);
    for (let index = 0; index < 6; index += 1) {
      cache.set(`k${index}`, entryOf(Buffer.alloc(1_400)), US);
      cache.get('k0');
      expect(cache.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(cache.get('k0')).toBeDefined();
    expect(cache.get('k1')).toBeUndefined();
    expect(cache.get('k5')).toBeDefined();
  });

  it('returns an entry that is too large to keep, and drops the older one', () => {
    const cache = new L1Cache(10_000);
    cache.set('k', entryOf(Buffer.from('small')), US);
    const large = cache.set('k', entryOf(Buffer.alloc(20_000)), US);
    expect(large.body).toHaveLength(20_000);
    expect(cache.get('k')).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });

  it('counts compressed variants once they exist', async () => {
    const cache = new L1Cache(1_000_000);
    const entry = cache.set('k', entryOf(compressible(50_000)), US);
    const before = cache.bytes;
    const br = await entry.variant('br');
    const gzip = await entry.variant('gzip');
    expect(cache.bytes).toBe(before + (br?.length ?? 0) + (gzip?.length ?? 0));
    expect(cache.get('k')).toBe(entry);
  });

  it('drops other entries if a variant exceeds the limit', async () => {
    const body = Buffer.from(randomBytes(3_000).toString('hex'));
    const cache = new L1Cache(14_000);
    cache.set('old', entryOf(body), US);
    const entry = cache.set('k', entryOf(body), US);
    expect(cache.size).toBe(2);
    expect(await entry.variant('gzip')).toBeDefined();
    expect(cache.get('old')).toBeUndefined();
    expect(cache.get('k')).toBe(entry);
    expect(cache.bytes).toBeLessThanOrEqual(14_000);
  });

  it('does not count a variant of an entry that was replaced meanwhile', async () => {
    const cache = new L1Cache(1_000_000);
    const old = cache.set('k', entryOf(compressible(50_000)), US);
    const variant = old.variant('br');
    const kept = cache.set('k', entryOf(Buffer.from('new')), US);
    const { bytes } = cache;
    await variant;
    expect(cache.get('k')).toBe(kept);
    expect(cache.bytes).toBe(bytes);
  });
});

describe('entries that a write has ended', () => {
  const write = (...names: string[]) => [{ table: USERS, names: ['*', ...names] }];
  const byId = (...ids: number[]) => [
    { table: USERS, names: [...ids.map((id) => `id=${id}`), 'id?'] },
  ];
  const setUp = (maxBytes = 1_000_000) => {
    const cache = new L1Cache(maxBytes);
    const set = (
      key: string,
      tables: Parameters<L1Cache['set']>[2],
      body: Buffer = Buffer.from('[]'),
    ) => cache.set(key, entryOf(body), tables);
    return { cache, set };
  };

  it('are counted once, however many of their versions the write names', () => {
    const { cache, set } = setUp();
    set('page 1', US);
    set('page 2', US);
    set('user 7', byId(7));
    set('users 7 and 8', byId(7, 8));
    set('user 9', byId(9));
    expect(cache.ended(write('region=US', 'id=7', 'id=8'))).toBe(4);
    expect(cache.ended(write('region=US', 'id=7', 'id=8'))).toBe(0);
    expect(cache.ended(write('region=EU', 'id=9'))).toBe(1);
    expect(cache.size).toBe(5);
  });

  it('are those of the written tables alone', () => {
    const { cache, set } = setUp();
    set('orders', [{ table: 'public.orders', names: ['*'] }]);
    set('both', [{ table: 'public.orders', names: ['*'] }, ...US]);
    expect(cache.ended(write('id?'))).toBe(0);
    expect(cache.ended(write('region?'))).toBe(1);
    expect(cache.ended([{ table: 'public.orders', names: ['*'] }])).toBe(1);
  });

  it.each(['#schema', '#schema/1'])('are all after a change of %s', (table) => {
    const { cache, set } = setUp();
    set('page', US);
    set('no table', []);
    expect(cache.ended([{ table, names: ['all-tables'] }])).toBe(2);
    expect(cache.ended(write('region=US'))).toBe(0);
  });

  it('are no longer those that were replaced, dropped or too large to be kept', () => {
    const { cache, set } = setUp(10_000);
    for (let round = 0; round < 3; round += 1) set('page', US);
    set('too large', US, Buffer.alloc(20_000));
    expect(cache.ended(write('region=US'))).toBe(1);
    for (let index = 0; index < 100; index += 1) set(`k${index}`, byId(index), Buffer.alloc(1_000));
    expect(cache.ended(write('id?'))).toBe(cache.size);
  });

  it('are counted once if a compressed form came to them, before the write or after it', async () => {
    const { cache, set } = setUp();
    const before = set('before', US, compressible(50_000));
    const after = set('after', US, compressible(50_000));
    await before.variant('br');
    expect(cache.ended(write('region=US'))).toBe(2);
    await after.variant('br');
    expect(cache.ended(write('region=US'))).toBe(0);
  });

  it('count again once the answer is stored again', () => {
    const { cache, set } = setUp();
    set('page', US);
    expect(cache.ended(write('region=US'))).toBe(1);
    set('page', US);
    expect(cache.ended(write('region=US'))).toBe(1);
  });

  it('are found among answers of thousands of values, whose memory counts', () => {
    const { cache, set } = setUp(10_000_000);
    const many = byId(...Array.from({ length: 5_000 }, (_, id) => id));
    set('few', byId(1));
    const few = cache.bytes;
    set('many', many);
    expect(cache.bytes).toBeGreaterThan(5_000 * 50 + few);
    expect(cache.ended(write('id=4999'))).toBe(1);
    expect(cache.ended(write('id=1'))).toBe(1);
  });

  it('of more than 100 versions are the 1,000 latest, so that a write looks at no more', () => {
    const { cache, set } = setUp(100_000_000);
    const many = byId(...Array.from({ length: 101 }, (_, id) => id));
    for (let page = 0; page < 1_001; page += 1) set(`page ${page}`, many);
    expect(cache.size).toBe(1_001);
    expect(cache.ended(write('id=100'))).toBe(1_000);
  });
});

describe('L1Entry', () => {
  it('compresses to bytes that decompress to the body', async () => {
    const body = compressible(50_000);
    const entry = new L1Entry(entryOf(body));
    const [br, gzip] = await Promise.all([entry.variant('br'), entry.variant('gzip')]);
    expect(br && brotliDecompressSync(br).equals(body)).toBe(true);
    expect(gzip && gunzipSync(gzip).equals(body)).toBe(true);
  });

  it('creates a variant once for concurrent callers', async () => {
    const entry = new L1Entry(entryOf(compressible(50_000)));
    let grown = 0;
    entry.onGrown = () => (grown += 1);
    const made = await Promise.all(Array.from({ length: 20 }, () => entry.variant('br')));
    made.push(await entry.variant('br'));
    expect(new Set(made).size).toBe(1);
    expect(grown).toBe(1);
  });

  it('has no variant of a short body or of an incompressible one', async () => {
    const short = new L1Entry(entryOf(compressible(1_000)));
    const random = new L1Entry(entryOf(randomBytes(5_000)));
    const { bytes } = random;
    expect(await short.variant('gzip')).toBeUndefined();
    expect(await random.variant('gzip')).toBeUndefined();
    expect(random.bytes).toBe(bytes);
  });

  it.each([
    ['a short text of ASCII', Buffer.from('{"a":1}'), 'string'],
    ['another short text', Buffer.from('{"a":"é"}'), 'object'],
    ['bytes that are no text', Buffer.from([0, 200, 255]), 'object'],
    ['a long text', Buffer.alloc(5_000, 'a'), 'object'],
  ])('keeps %s byte by byte', (_, body, kind) => {
    const entry = new L1Entry(entryOf(body));
    expect(typeof entry.content).toBe(kind);
    expect(entry.body.equals(body)).toBe(true);
    expect(Buffer.from(entry.content as string, 'utf8').equals(body)).toBe(true);
  });

  it('keeps no larger block in memory than it counts', async () => {
    const slab = Buffer.alloc(1_000_000, 'abc');
    const entry = new L1Entry(entryOf(slab.subarray(10, 6_010)));
    expect(entry.body.equals(slab.subarray(10, 6_010))).toBe(true);
    expect(entry.body.buffer.byteLength).toBe(6_000);
    const gzip = await entry.variant('gzip');
    expect(gzip?.buffer.byteLength).toBe(gzip?.length);
  });
});
