import { describe, expect, it } from 'vitest';
import { CanonicalEncoding, UnkeyableParameterError } from './canonical-encoding.js';

const textOf = (value: unknown): string => new CanonicalEncoding('of the query', 100_000).of(value);

const buffer = Buffer.from([1, 0, 0, 0]).buffer.slice(0, 4);

describe('CanonicalEncoding', () => {
  it('encodes distinguishable values with equal content differently', () => {
    const values = [
      new Uint8Array(buffer),
      Buffer.from(buffer),
      0,
      -0,
      [],
      {},
      Object.create(null),
      null,
      undefined,
      'null',
      [[]],
      [1, [2]],
      [[1], 2],
      { 0: 1 },
      [1],
    ];
    expect(new Set(values.map(textOf)).size).toBe(values.length);
  });

  it('encodes other field orders differently, which an ORDER BY may follow', () => {
    expect(textOf({ sort: { a: 1, b: 2 } })).not.toBe(textOf({ sort: { b: 2, a: 1 } }));
  });

  it('refuses a value that is too long before writing it', () => {
    expect(() => textOf('x'.repeat(100_000))).toThrow('is too long');
    expect(() => textOf(Array.from({ length: 1_000_000 }, () => 1))).toThrow('is too long');
    expect(() => textOf(Array.from({ length: 20_000 }, () => 123_456))).toThrow('is too long');
    expect(() => textOf(Buffer.alloc(1_000_000))).toThrow('is too long');
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field-${i}`, i]));
    expect(() => textOf(wide)).toThrow('is too long');
  });

  it.each<[string, unknown]>([
    ['a symbol', Symbol('limit')],
    ['an invalid date', new Date(NaN)],
  ])('refuses %s', (_, value) => {
    expect(() => textOf([value])).toThrow(UnkeyableParameterError);
  });
});
