import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CacheEntry } from '../core/entry-store.js';
import { decodeEntry, encodeEntry } from './entry-codec.js';

const entries = fc.record({
  stamp: fc.string({ unit: 'grapheme' }),
  body: fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes)),
  empty: fc.boolean(),
  tag: fc.string(),
  createdAtMs: fc.nat(),
  expiresAtMs: fc.nat(),
  headers: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
}) satisfies fc.Arbitrary<CacheEntry>;

describe('the codec of entries', () => {
  it('gives back what it was given, from text that JSON leaves as it is', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (entry) => {
        const text = await encodeEntry(entry);
        expect(JSON.stringify(text)).toBe(`"${text}"`);
        expect(await decodeEntry(text)).toEqual(entry);
      }),
      { numRuns: 200 },
    );
  });

  it('makes a long body shorter', async () => {
    const body = Buffer.alloc(100_000, '{"id":1},');
    const text = await encodeEntry({ ...fc.sample(entries, 1)[0]!, body });
    expect(text.length).toBeLessThan(10_000);
  });

  it('answers undefined for a text that was cut short or is of another kind', async () => {
    const text = await encodeEntry({ ...fc.sample(entries, 1)[0]!, body: Buffer.alloc(3_000) });
    for (let end = 0; end < text.length; end += 1) {
      expect(await decodeEntry(text.slice(0, end))).toBeUndefined();
    }
    for (const other of [undefined, null, 7, {}, [], '', 'tm1:r:', `x${text}`, `${text}!`]) {
      expect(await decodeEntry(other)).toBeUndefined();
    }
  });

  it('answers undefined for a header that lacks something', async () => {
    const textOf = (header: unknown, body = ''): string => {
      const json = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(json.length);
      return `tm1:r:${Buffer.concat([length, json, Buffer.from(body)]).toString('base64')}`;
    };
    const header = {
      stamp: 's',
      empty: true,
      tag: 't',
      createdAtMs: 1,
      expiresAtMs: 2,
      headers: { a: 'b' },
      bodyBytes: 0,
    };
    expect(await decodeEntry(textOf(header))).toBeDefined();
    for (const field of Object.keys(header)) {
      expect(await decodeEntry(textOf({ ...header, [field]: undefined }))).toBeUndefined();
    }
    expect(await decodeEntry(textOf({ ...header, headers: { a: 1 } }))).toBeUndefined();
    expect(await decodeEntry(textOf(header, 'more'))).toBeUndefined();
    expect(await decodeEntry(textOf(null))).toBeUndefined();
  });
});
