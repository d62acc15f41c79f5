import { describe, expect, it } from '@jest/globals';
import { ExactText, UnkeyableParameterError } from './exact-text.js';

const textOf = (value: unknown): string =>
  new ExactText('of the query', (object, texts) => texts.ofFields(object), 100_000).of(value);

const buffer = Buffer.from([1, 0, 0, 0]).buffer.slice(0, 4);

describe('ExactText', () => {
  it('tells values apart that hold the same', () => {
    const values = [
      new Uint8Array(buffer),
      new Int8Array(buffer),
      new Float32Array(1),
      new DataView(buffer),
      Buffer.from(buffer),
      0,
      -0,
      [],
      {},
      [[]],
      [1, [2]],
      [[1], 2],
      { 0: 1 },
      [1],
    ];
    expect(new Set(values.map(textOf)).size).toBe(values.length);
  });

  it('tells orders of fields apart, which an ORDER BY may follow', () => {
    expect(textOf({ sort: { a: 1, b: 2 } })).not.toBe(textOf({ sort: { b: 2, a: 1 } }));
  });

  it('refuses what is too long before it is written', () => {
    expect(() => textOf('x'.repeat(100_000))).toThrow('is too long');
    expect(() => textOf(Array.from({ length: 1_000_000 }, () => 1))).toThrow('is too long');
    expect(() => textOf(Array.from({ length: 20_000 }, () => 123_456))).toThrow('is too long');
    expect(() => textOf(Buffer.alloc(1_000_000))).toThrow('is too long');
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field-${i}`, i]));
    expect(() => textOf(wide)).toThrow('is too long');
  });

  it.each<[string, unknown]>([
    ['a hole', Object.assign([], { 1: 2 })],
    ['another field', Object.assign([1], { total: 2 })],
    ['another field in the place of a hole', Object.assign([], { 1: 2, total: 2 })],
    ['a field without a name', Object.assign([1], { [Symbol('total')]: 2 })],
    ['a class', new (class extends Array {})()],
    ['a proxy', new Proxy([1], {})],
  ])('refuses a list with %s', (_, value) => {
    expect(() => textOf({ in: value })).toThrow(/is a list (with holes|or date)/);
  });

  it.each<[string, unknown]>([
    ['a date of a class', new (class extends Date {})()],
    ['a date with a field', Object.assign(new Date(), { zone: 'UTC' })],
    ['bytes of a class', new (class extends Uint8Array {})()],
    ['a field without a name', { [Symbol('limit')]: 10 }],
    ['a hidden field', Object.defineProperty({}, 'limit', { value: 10 })],
    ['a function', { limit: () => 10 }],
  ])('refuses %s', (_, value) => {
    expect(() => textOf([value])).toThrow(UnkeyableParameterError);
  });

  it('refuses what has no end', () => {
    const circle: unknown[] = [];
    circle.push({ circle });
    expect(() => textOf(circle)).toThrow('has too much in it');
    let wide: unknown = 1;
    for (let level = 0; level < 20; level += 1) wide = { left: wide, right: wide };
    expect(() => textOf(wide)).toThrow(UnkeyableParameterError);
    expect(textOf(Array.from({ length: 5_000 }, (_, i) => ({ i })))).toBeDefined();
  });
});
