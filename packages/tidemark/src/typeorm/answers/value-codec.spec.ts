import { describe, expect, it } from 'vitest';
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
    ['a string with a type marker of another codec', '_date_2020-01-01'],
    ['null and undefined', { a: null, b: undefined }],
    ['numbers that JSON loses', [NaN, Infinity, -0]],
    ['nested JSON', { tags: ['x', { y: [1] }], map: new Map([['k', new Set([1])]]) }],
    ['null', null],
    ['a number', 42],
    ['a field called __proto__', JSON.parse('{"__proto__": 1}')],
    ['an object without a prototype', Object.assign(Object.create(null), { a: [1] })],
    ['an unpaired surrogate', '\ud83d'],
  ])('restores %s', (_what, value) => {
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it('restores prototypes, shared references and circular references', () => {
    const bare: unknown = Object.create(null);
    const circle: unknown[] = [bare, bare];
    circle.push(circle, -0, new Date(NaN));
    const back = codec.decode(codec.encode(circle)) as typeof circle;
    expect(Object.getPrototypeOf(back[0])).toBeNull();
    expect(back[1]).toBe(back[0]);
    expect(back[2]).toBe(back);
    expect(back[3]).toBe(-0);
    expect((back[4] as Date).getTime()).toBeNaN();
  });

  it('restores the class of known instances, with separate instances for each caller', () => {
    const bytes = codec.encode([new Order(1n, [new Item('1.10')])]);
    const [first] = codec.decode(bytes) as Order[];
    const [second] = codec.decode(bytes) as Order[];
    expect(first).toBeInstanceOf(Order);
    expect(first?.items[0]).toBeInstanceOf(Item);
    expect(first).toEqual(new Order(1n, [new Item('1.10')]));
    expect(first).not.toBe(second);
  });

  it.each<[string, unknown]>([
    ['an instance of an unknown class', [new Foreign()]],
    ['a function', { run: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['a subclass of Date', new (class Day extends Date {})()],
    ['a subclass of Array', new (class Rows extends Array {})()],
    ['a subclass of Map', new (class Index extends Map {})()],
    ['a subclass of Set', new (class Tags extends Set {})()],
    [
      'a subclass of Buffer',
      Object.setPrototypeOf(Buffer.from('a'), class B extends Buffer {}.prototype),
    ],
    ['a Float32Array', new Float32Array([1])],
    ['a view of shared memory', Buffer.from(new SharedArrayBuffer(1))],
    ['a field named by a symbol', { [Symbol('s')]: 1 }],
    ['a hidden field', Object.defineProperty({}, 'a', { value: 1 })],
    [
      'an accessor',
      {
        get a() {
          return 1;
        },
      },
    ],
    ['a read-only field', Object.defineProperty({}, 'a', { value: 1, enumerable: true })],
    ['a sealed object', Object.seal({ a: 1 })],
    ['an object with a frozen list', { list: Object.freeze([1]) }],
    ['an array with holes', Array(2)],
    ['an array with a field', Object.assign([1], { total: 1 })],
    ['a date with a field', Object.assign(new Date(0), { zone: 'UTC' })],
    ['a map with a field', Object.assign(new Map(), { total: 1 })],
    ['a Number object', Object(1)],
    ['an error', new Error('e')],
    ['a regular expression', /a/g],
    ['a URL', new URL('a:b')],
    ['a proxy', new Proxy({}, {})],
    ['an object whose prototype is a plain object', Object.create({})],
    ['an instance with a hidden field', Object.defineProperty(new Item('1'), 'a', { value: 1 })],
    ['lists nested too deeply', Array.from({ length: 1e5 }).reduce<unknown>((list) => [list], 1)],
  ])('refuses %s', (_what, value) => {
    expect(() => codec.encode(value)).toThrow(UnencodableValueError);
  });
});
