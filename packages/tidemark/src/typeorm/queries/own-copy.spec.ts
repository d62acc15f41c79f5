import { describe, expect, it } from '@jest/globals';
import { ownCopyOf } from './own-copy.js';

class Filter {
  constructor(readonly region: string) {}
}

const Parsed = function () {} as unknown as new () => object;
Parsed.prototype = Object.create(null);

const Filled = function () {} as unknown as new () => object;
Filled.prototype = Object.assign(Object.create(null), { limit: 10 });

describe('ownCopyOf', () => {
  it.each<[string, unknown]>([
    ['plain data', { list: [1, 'a', null, undefined, { deep: 2n }], none: Object.create(null) }],
    ['what a parser of query strings makes', Object.assign(new Parsed(), { region: 'US' })],
    ['an object without a prototype', Object.assign(Object.create(null), { region: 'US' })],
    ['a date', { at: new Date(1) }],
    ['bytes', [Buffer.from('a'), new Uint8Array([1, 2])]],
  ])('copies %s as a whole', (_, value) => {
    const copy = ownCopyOf(value);
    expect(copy).toStrictEqual({ value, isWhole: true });
    expect(copy.value).not.toBe(value);
  });

  it('copies an object that is in two places twice', () => {
    const one = { id: 1 };
    const { value } = ownCopyOf({ left: one, right: one });
    expect(value.left).not.toBe(value.right);
  });

  it.each<[string, object]>([
    ['a hole in a list', Object.assign([], { 1: 2 })],
    ['another field of a list', Object.assign([1], { total: 2 })],
    ['another field in the place of a hole', Object.assign([], { 1: 2, total: 2 })],
    ['a field of a list without a name', Object.assign([1], { [Symbol('total')]: 2 })],
    ['a class of lists', new (class extends Array {})()],
    ['a proxy of a list', new Proxy([1], {})],
    ['a class of dates', new (class extends Date {})()],
    ['a date with a field', Object.assign(new Date(), { zone: 'UTC' })],
    ['no date behind its prototype', Object.create(Date.prototype)],
    ['a class of bytes', new (class extends Uint8Array {})()],
    ['a field without a name', { [Symbol('limit')]: 10 }],
    ['a hidden field', Object.defineProperty({}, 'limit', { value: 10 })],
    ['a field that would become the prototype', JSON.parse('{ "__proto__": { "limit": 10 } }')],
    ['a function', { limit: () => 10 }],
    ['a map', new Map([[1, 2]])],
    ['numbers of one kind', new Int32Array([1])],
    [
      'an accessor that throws',
      {
        get limit() {
          throw new Error('none');
        },
      },
    ],
  ])('copies no whole object with %s', (_, value) => {
    expect(ownCopyOf({ value }).isWhole).toBe(false);
  });

  it('ends where objects have no end', () => {
    const circle: unknown[] = [];
    circle.push({ circle });
    let wide: unknown = 1;
    for (let level = 0; level < 40; level += 1) wide = { left: wide, right: wide };
    for (const value of [circle, wide]) {
      expect(ownCopyOf(value)).toEqual({ value, isWhole: false });
    }
  });

  it.each<[string, object]>([
    ['an instance of a class', new Filter('US')],
    ['a set', new Set([1])],
    ['an object whose prototype is another object', Object.create({ region: 'US' })],
    ['one whose prototype has something in it', new Filled()],
    ['a proxy', new Proxy({ region: 'US' }, {})],
    ['a proxy as its prototype', Object.create(new Proxy(Object.create(null), {}))],
    ['no prototype at the end', Object.create(Object.create(null, { limit: { value: 10 } }))],
  ])('copies no whole object where it is %s', (_, value) => {
    const copy = ownCopyOf(value);
    expect(copy.isWhole).toBe(false);
    expect(copy.value).toBe(value);
  });
});
