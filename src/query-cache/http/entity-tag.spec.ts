import { describe, expect, it } from '@jest/globals';
import { entityTag, isNotModified } from './entity-tag.js';

describe('entity tags', () => {
  it('differ by content coding', () => {
    expect(['identity', 'br', 'gzip'].map((coding) => entityTag('abc', coding as 'br'))).toEqual([
      '"abc"',
      '"abc-br"',
      '"abc-gzip"',
    ]);
  });

  it.each([
    [undefined, false],
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", "abc-gzip"', true],
    ['"abc-br"', true],
    ['*', true],
    ['"abcd"', false],
    ['"x"', false],
  ])('If-None-Match: %s -> not modified: %s', (header, expected) => {
    expect(isNotModified(header, 'abc')).toBe(expected);
  });
});
