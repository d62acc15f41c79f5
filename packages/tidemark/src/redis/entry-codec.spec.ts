import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { CacheEntry } from '../core/ports/entry-store.js';
import { decodeEntry, encodeEntry } from './entry-codec.js';

const MAX_BYTES = 1_000_000;

const entries = fc.record({
  stamp: fc.string({ unit: 'grapheme' }),
  body: fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
  empty: fc.boolean(),
  tag: fc.string(),
  createdAtMs: fc.nat(),
  expiresAtMs: fc.nat(),
  headers: fc.dictionary(
    fc.constantFrom('link', 'x-total'),
    fc.string({ unit: 'grapheme-ascii' }),
    {
      noNullPrototype: true,
    },
  ),
}) satisfies fc.Arbitrary<CacheEntry>;

async function encoded(body: Buffer): Promise<Buffer> {
  const bytes = await encodeEntry({ ...fc.sample(entries, 1)[0]!, body }, MAX_BYTES);
  if (!bytes) throw new Error('The entry is too long.');
  return bytes;
}

describe('the codec of entries', () => {
  it('decodes an encoded entry to an equal one', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (entry) => {
        const bytes = await encodeEntry(entry, MAX_BYTES);
        expect(await decodeEntry(bytes ?? Buffer.alloc(0), MAX_BYTES)).toEqual(entry);
      }),
      { numRuns: 200 },
    );
  });

  it('shortens a long body', async () => {
    expect((await encoded(Buffer.alloc(100_000, '{"id":1},'))).length).toBeLessThan(10_000);
  });

  it('refuses an entry above the maximum size, deflated or not', async () => {
    const entry = { ...fc.sample(entries, 1)[0]!, body: Buffer.alloc(100_000) };
    expect(await encodeEntry(entry, 100_000)).toBeUndefined();
    const bytes = await encoded(Buffer.alloc(100_000));
    expect(await decodeEntry(bytes, 100_000)).toBeUndefined();
  });

  it('returns undefined for truncated bytes and for bytes of another form', async () => {
    const bytes = await encoded(Buffer.alloc(3_000));
    for (let end = 0; end < bytes.length; end += 1) {
      expect(await decodeEntry(bytes.subarray(0, end), MAX_BYTES)).toBeUndefined();
    }
    for (const other of ['', 'r', 'z', 'x', 'rrrrrrr', 'zzzzzzz']) {
      expect(await decodeEntry(Buffer.from(other), MAX_BYTES)).toBeUndefined();
    }
  });

  it('returns undefined for an incomplete header', async () => {
    const decoded = (header: unknown, body = ''): Promise<CacheEntry | undefined> => {
      const json = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(json.length);
      const parts = [Buffer.from('r'), length, json, Buffer.from(body)];
      return decodeEntry(Buffer.concat(parts), MAX_BYTES);
    };
    const header = {
      stamp: 's',
      empty: true,
      tag: 't',
      createdAtMs: 1,
      expiresAtMs: 2,
      headers: { link: 'b' },
      bodyBytes: 0,
    };
    expect(await decoded(header)).toBeDefined();
    for (const field of Object.keys(header)) {
      expect(await decoded({ ...header, [field]: undefined })).toBeUndefined();
    }
    expect(await decoded({ ...header, headers: { link: 1 } })).toBeUndefined();
    expect(await decoded({ ...header, headers: { 'set-cookie': 'a' } })).toBeUndefined();
    expect(await decoded(header, 'more')).toBeUndefined();
    expect(await decoded(null)).toBeUndefined();
  });
});
