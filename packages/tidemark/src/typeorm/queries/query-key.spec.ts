import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { UnkeyableParameterError } from '../../postgres/analysis/canonical-encoding.js';
import { QueryKeys } from './query-key.js';

const keys = new QueryKeys(['tidemark', 'shop', 'app']);
const keyOf = (parameters: readonly unknown[], sql = 'SELECT 1', answer = 'many'): string =>
  keys.keyOf({ sql, parameters, answer });

const circle: { self?: unknown } = {};
circle.self = circle;

describe('QueryKeys', () => {
  it('gives values of different types different keys', () => {
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

  it('gives parts with the same concatenation different keys', () => {
    expect(keyOf(['ab', 'c'])).not.toBe(keyOf(['a', 'bc']));
    expect(keyOf(['a'], 'SELECT 1', 'onex')).not.toBe(keyOf(['a'], 'xSELECT 1', 'one'));
  });

  it('gives values that are not sent different keys by their types', () => {
    const values: unknown[] = [
      {},
      { a: 1 },
      { a: '1' },
      { a: undefined },
      { a: null },
      { a: NaN },
      { a: new Date(1) },
      { a: new Date(1).toJSON() },
      { a: { b: 1 } },
      [{ a: 1 }],
    ];
    const ofValue = (value: unknown): string =>
      keys.keyOf({ sql: 'SELECT 1', parameters: [], values: [value], answer: 'many' });
    expect(new Set(values.map(ofValue)).size).toBe(values.length);
    expect(ofValue({ a: 1, b: 2 })).not.toBe(ofValue({ b: 2, a: 1 }));
    expect(() => ofValue({ a: new Map() })).toThrow(UnkeyableParameterError);
    expect(ofValue(1)).not.toBe(keyOf([1]));
  });

  it('accepts an object from a parser of query strings, and refuses an instance of a class', () => {
    const Empty = function () {} as unknown as new () => Record<string, string>;
    Empty.prototype = Object.create(null);
    const ofValue = (value: unknown): string =>
      keys.keyOf({ sql: 'SELECT 1', parameters: [value], values: [value], answer: 'many' });
    const parsed = (limit: string): string => ofValue(Object.assign(new Empty(), { limit }));
    expect(parsed('10')).toBe(parsed('10'));
    expect(parsed('10')).not.toBe(parsed('20'));
    expect(() => ofValue(new (class Filter {})())).toThrow(
      'an instance of a class: use an object of its fields',
    );
  });

  it.each<[string, unknown]>([
    ['a circular reference', circle],
    [
      'a getter that throws',
      {
        get price() {
          throw new Error('none');
        },
      },
    ],
  ])('refuses %s with an UnkeyableParameterError', (_, value) => {
    expect(() => keyOf([value])).toThrow(UnkeyableParameterError);
  });

  it('gives the same query different keys in different contexts', () => {
    const other = new QueryKeys(['tidemark', 'shop', 'admin']);
    expect(other.keyOf({ sql: 'SELECT 1', parameters: [], answer: 'many' })).not.toBe(keyOf([]));
  });

  it('gives equal parameters equal keys, and different parameters different keys', () => {
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
    ['an object with toPostgres', { toPostgres: () => '1' }],
    ['an object with toPostgres in a nested list', [[{ toPostgres: () => '1' }]]],
    ['an object whose toJSON returns undefined', { toJSON: () => undefined }],
    // node-postgres sends it as {1,NULL}, and [, 1] as {NULL,1}.
    ['a list with a hole', Object.assign([], { 1: 2 })],
  ])('refuses %s and names the parameter', (_what, value) => {
    expect(() => keyOf(['fine', value])).toThrow(UnkeyableParameterError);
    expect(() => keyOf(['fine', value])).toThrow('$2');
  });
});
