import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { exactText, QueryKeys, UnkeyableParameterError } from './query-key.js';

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

  it('tells values apart that are not sent, by their types', () => {
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
    expect(ofValue({ a: 1, b: 2 })).toBe(ofValue({ b: 2, a: 1 }));
    expect(ofValue(1)).not.toBe(keyOf([1]));
  });

  it('takes instances of classes for their fields', () => {
    class Filter {
      constructor(readonly region: string) {}
      get isAmerican(): boolean {
        return this.region === 'US';
      }
    }
    class Wider extends Filter {}
    expect(exactText(new Filter('US'))).toBe(exactText(new Filter('US')));
    const values = [
      new Filter('US'),
      new Filter('EU'),
      new Wider('US'),
      { region: 'US' },
      [new Filter('US')],
      { filter: new Filter('US') },
    ];
    expect(new Set(values.map(exactText)).size).toBe(values.length);
  });

  it('takes what a parser of query strings makes for an object of no class', () => {
    const Empty = function () {} as unknown as new () => Record<string, string>;
    Empty.prototype = Object.create(null);
    const parsed = Object.assign(new Empty(), { limit: '10' });
    expect(exactText(parsed)).toBe(exactText({ limit: '10' }));
    expect(keyOf([parsed])).toBe(keyOf([{ limit: '10' }]));
  });

  it.each<[string, unknown]>([
    [
      'private names',
      new (class Secret {
        #field = 1;
        get field() {
          return this.#field;
        }
      })(),
    ],
    [
      'inherited private names',
      new (class extends class {
        #a = 1;
        a() {
          return this.#a;
        }
      } {})(),
    ],
    ['data of the language', new Map([[1, 2]])],
    ['the same under a class', new (class extends Set {})([1])],
    ['a prototype that is no class', Object.create({ limit: 10 })],
    ['a field without a name', { [Symbol('limit')]: 10 }],
    ['a hidden field', Object.defineProperty({}, 'limit', { value: 10 })],
    ['a function', { limit: () => 10 }],
  ])('refuses an object with %s', (_what, value) => {
    expect(() => exactText(value)).toThrow(UnkeyableParameterError);
    expect(() => exactText({ in: [value] })).toThrow(UnkeyableParameterError);
  });

  it('refuses what has no end', () => {
    const circle: unknown[] = [];
    circle.push({ circle });
    expect(() => exactText(circle)).toThrow('has too much in it');
    let wide: unknown = 1;
    for (let level = 0; level < 20; level += 1) wide = { left: wide, right: wide };
    expect(() => exactText(wide)).toThrow('has too much in it');
    expect(exactText(Array.from({ length: 50_000 }, (_, i) => ({ i })))).toBeDefined();
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
    ['an object that says what is sent', { toPostgres: () => '1' }],
    ['such an object in a list', [[{ toPostgres: () => '1' }]]],
  ])('refuses %s and names the parameter', (_what, value) => {
    expect(() => keyOf(['fine', value])).toThrow(UnkeyableParameterError);
    expect(() => keyOf(['fine', value])).toThrow('$2');
  });
});
