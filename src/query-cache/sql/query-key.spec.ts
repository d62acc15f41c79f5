import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { QueryKeys, UnkeyableParameterError } from './query-key.js';

const keys = new QueryKeys(['tidemark', 'shop', 'app']);
const keyOf = (parameters: readonly unknown[], sql = 'SELECT 1', answer = 'many'): string =>
  keys.keyOf({ sql, parameters, answer });

describe('QueryKeys', () => {
  it('tells values of different types apart', () => {
    const values: unknown[] = [
      1,
      '1',
      1n,
      true,
      'true',
      [1],
      ['1'],
      null,
      undefined,
      '',
      new Date(1),
      Buffer.from('1'),
      { a: 1 },
    ];
    expect(new Set(values.map((value) => keyOf([value]))).size).toBe(values.length);
  });

  it('tells lists apart whose texts run together', () => {
    expect(keyOf(['ab', 'c'])).not.toBe(keyOf(['a', 'bc']));
    expect(keyOf(['a'], 'SELECT 1', 'onex')).not.toBe(keyOf(['a'], 'xSELECT 1', 'one'));
  });

  it('depends on the context', () => {
    const other = new QueryKeys(['tidemark', 'shop', 'admin']);
    expect(other.keyOf({ sql: 'SELECT 1', parameters: [], answer: 'many' })).not.toBe(keyOf([]));
  });

  it('is the same for the same parts and another for others', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.bigInt(), fc.constant(null));
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (left, right) => {
        expect(keyOf(left) === keyOf(right)).toBe(isDeepStrictEqual(left, right));
      }),
    );
  });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['an invalid date', new Date(NaN)],
    ['an instance of a class', new (class Money {})()],
  ])('refuses %s and names the parameter', (_what, value) => {
    expect(() => keyOf(['fine', value])).toThrow(UnkeyableParameterError);
    expect(() => keyOf(['fine', value])).toThrow('$2');
  });
});
