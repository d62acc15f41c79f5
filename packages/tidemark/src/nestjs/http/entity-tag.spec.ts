import { describe, expect, it } from 'vitest';
import { entityTag, matchingTag, namesStrongly } from './entity-tag.js';

describe('entity tags', () => {
  it('differ by content coding', () => {
    expect(['identity', 'br', 'gzip'].map((coding) => entityTag('abc', coding as 'br'))).toEqual([
      '"abc"',
      '"abc-br"',
      '"abc-gzip"',
    ]);
  });

  it.each<[string | undefined, string | undefined]>([
    [undefined, undefined],
    ['"abc"', '"abc"'],
    ['W/"abc"', '"abc"'],
    ['"x", "abc-gzip"', '"abc-gzip"'],
    ['"abc", "abc-br"', '"abc-br"'],
    ['*', '"abc-br"'],
    ['"abcd"', undefined],
    ['"x"', undefined],
  ])('If-None-Match: %s is answered 304 with %s', (header, expected) => {
    expect(matchingTag(header, 'abc', 'br')).toBe(expected);
  });

  it.each<[string, boolean]>([
    ['"abc"', true],
    ['"abc-br"', true],
    ['"x", "abc-gzip"', true],
    ['*', true],
    ['W/"abc"', false],
    ['"abcd"', false],
    ['abc', false],
    ['', false],
  ])('If-Match: %s matches the entry: %s', (header, expected) => {
    expect(namesStrongly(header, 'abc')).toBe(expected);
  });
});
