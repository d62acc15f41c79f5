import { describe, expect, it } from 'vitest';
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
    ['an object from a parser of query strings', Object.assign(new Parsed(), { region: 'US' })],
    ['an object without a prototype', Object.assign(Object.create(null), { region: 'US' })],
    ['a date', { at: new Date(1) }],
    ['bytes', [Buffer.from('a'), new Uint8Array([1, 2])]],
  ])('copies %s completely', (_, value) => {
    const copy = ownCopyOf(value);
    expect(copy).toStrictEqual({ value, isWhole: true });
    expect(copy.value).not.toBe(value);
  });

  it('copies an object referenced twice into two objects', () => {
    const one = { id: 1 };
    const { value } = ownCopyOf({ left: one, right: one });
    expect(value.left).not.toBe(value.right);
  });

  it.each<[string, object]>([
    ['a hole in a list', Object.assign([], { 1: 2 })],
    ['a list with a further field', Object.assign([1], { total: 2 })],
    ['a list with a hole and a further field', Object.assign([], { 1: 2, total: 2 })],
    ['a list with a symbol field', Object.assign([1], { [Symbol('total')]: 2 })],
    ['a subclass of Array', new (class extends Array {})()],
    ['a proxy of a list', new Proxy([1], {})],
    ['a subclass of Date', new (class extends Date {})()],
    ['a date with a field', Object.assign(new Date(), { zone: 'UTC' })],
    ['an object with the prototype of Date that is not a date', Object.create(Date.prototype)],
    ['a subclass of Uint8Array', new (class extends Uint8Array {})()],
    ['a symbol field', { [Symbol('limit')]: 10 }],
    ['a hidden field', Object.defineProperty({}, 'limit', { value: 10 })],
    ['a field that would become the prototype', JSON.parse('{ "__proto__": { "limit": 10 } }')],
    ['a function', { limit: () => 10 }],
    ['a map', new Map([[1, 2]])],
    ['an Int32Array', new Int32Array([1])],
    [
      'an accessor that throws',
      {
        get limit() {
          throw new Error('none');
        },
      },
    ],
  ])('reports an incomplete copy of an object with %s', (_, value) => {
    expect(ownCopyOf({ value }).isWhole).toBe(false);
  });

  it('stops at circular references and at too many objects, and copies nothing', () => {
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
    ['an object whose prototype has fields', new Filled()],
    ['a proxy', new Proxy({ region: 'US' }, {})],
    ['an object whose prototype is a proxy', Object.create(new Proxy(Object.create(null), {}))],
    [
      'an object whose prototype has a hidden field',
      Object.create(Object.create(null, { limit: { value: 10 } })),
    ],
  ])('returns %s itself, as an incomplete copy', (_, value) => {
    const copy = ownCopyOf(value);
    expect(copy.isWhole).toBe(false);
    expect(copy.value).toBe(value);
  });
});
