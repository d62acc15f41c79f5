import { describe, expect, it } from '@jest/globals';
import { UnencodableValueError, ValueCodec } from './value-codec.js';

class Order {
  constructor(
    readonly id: bigint,
    readonly items: readonly Item[],
  ) {}
}

class Item {
  constructor(readonly price: string) {}
}

class Foreign {}

const codec = new ValueCodec(
  new Map<string, new (...args: never[]) => object>([
    ['Order', Order],
    ['Item', Item],
  ]),
);

describe('ValueCodec', () => {
  it.each<[string, unknown]>([
    ['a date', new Date('2026-02-03T04:05:06.789Z')],
    ['a bigint beyond doubles', 9_007_199_254_740_993n],
    ['bytes', Buffer.from([0, 255, 10])],
    ['text with a marker of another codec', '_date_2020-01-01'],
    ['null and undefined', { a: null, b: undefined }],
    ['numbers that JSON loses', [NaN, Infinity, -0]],
    ['nested JSON', { tags: ['x', { y: [1] }], map: new Map([['k', new Set([1])]]) }],
    ['nothing', null],
    ['a number', 42],
  ])('gives back %s', (_what, value) => {
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it('gives instances of known classes their class back, and each caller its own', () => {
    const bytes = codec.encode([new Order(1n, [new Item('1.10')])]);
    const [first] = codec.decode(bytes) as Order[];
    const [second] = codec.decode(bytes) as Order[];
    expect(first).toBeInstanceOf(Order);
    expect(first?.items[0]).toBeInstanceOf(Item);
    expect(first).toEqual(new Order(1n, [new Item('1.10')]));
    expect(first).not.toBe(second);
  });

  it.each<[string, unknown]>([
    ['an instance of a class it does not know', [new Foreign()]],
    ['a function', { run: () => 1 }],
  ])('refuses %s', (_what, value) => {
    expect(() => codec.encode(value)).toThrow(UnencodableValueError);
  });
});
