import { describe, expect, it } from '@jest/globals';
import { isPlain, isRecord } from './field-objects.js';

class Filter {
  constructor(readonly region: string) {}
}

const Parsed = function () {} as unknown as new () => object;
Parsed.prototype = Object.create(null);

const Filled = function () {} as unknown as new () => object;
Filled.prototype = Object.assign(Object.create(null), { limit: 10 });

const hidden = new WeakMap<object, number>();

const helpers = { __privateGet: (map: WeakMap<object, number>, of: object) => map.get(of) };

/** As a compiler for older engines writes a private name. */
class Lowered {
  static of(lowered: Lowered): unknown {
    const { __privateGet: get } = helpers;
    return get(hidden, lowered);
  }
}

/** As a class's text has private names where only ASCII may be in it. */
class Escaped {
  static readonly text = '#\\u00e9t\\u00e9';
}

class Replaced {}
Object.defineProperty(Replaced.prototype, 'constructor', { value: class Other {} });

describe('isPlain', () => {
  it.each<[string, object]>([
    ['a literal', { region: 'US' }],
    ['an object without a prototype', Object.create(null)],
    ['what a parser of query strings makes', new Parsed()],
  ])('is %s', (_, value) => expect(isPlain(value)).toBe(true));

  it.each<[string, object]>([
    ['an instance of a class', new Filter('US')],
    ['one whose prototype has something in it', new Filled()],
    ['one whose prototype is another object', Object.create({ region: 'US' })],
    ['a proxy', new Proxy({}, {})],
    ['a map', new Map()],
  ])('is not %s', (_, value) => expect(isPlain(value)).toBe(false));
});

describe('isRecord', () => {
  it.each<[string, object]>([
    ['an instance of a class with nothing but fields', new Filter('US')],
    ['one that inherits such a class', new (class extends Filter {})('US')],
  ])('is %s', (_, value) => expect(isRecord(value)).toBe(true));

  it.each<[string, object]>([
    [
      'a method',
      new (class {
        name() {}
      })(),
    ],
    [
      'an accessor',
      new (class {
        get name() {
          return hidden.get(this);
        }
      })(),
    ],
    [
      'an inherited method',
      new (class extends class {
        name() {}
      } {})(),
    ],
    [
      'a symbol',
      new (class {
        [Symbol.toPrimitive]() {
          return 1;
        }
      })(),
    ],
    [
      'a private name that a static method tells',
      new (class Kept {
        #name = 1;
        static of(kept: Kept) {
          return kept.#name;
        }
      })(),
    ],
    [
      'the same under a text of its own',
      new (class Kept {
        #name = 1;
        static of(kept: Kept) {
          return kept.#name;
        }
        static toString() {
          return '';
        }
      })(),
    ],
    ['the same as compilers write it', new Lowered()],
    ['an escaped private name', Object.create(Escaped.prototype)],
    ['a class in the place of its own', Object.create(Replaced.prototype)],
    ['data of the language', new Set([1])],
    ['the same under a class', new (class extends Set {})([1])],
    ['a prototype that is no class', Object.create({})],
    ['a proxy before it', new Proxy(new Filter('US'), {})],
    ['no prototype at the end', Object.create(Object.create(null))],
  ])('is not one with %s', (_, value) => expect(isRecord(value)).toBe(false));
});
