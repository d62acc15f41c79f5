import { describe, expect, it } from 'vitest';
import { addHeader, freshReadOf } from './cache-headers.js';
import type { HttpReply } from './http-reply.js';

function combined(
  name: Parameters<typeof addHeader>[1],
  held: string | string[] | number | undefined,
  added: string,
) {
  const headers = new Map<string, unknown>([[name, held]]);
  const reply = {
    getHeader: (asked: string) => headers.get(asked),
    header: (set: string, value: unknown) => headers.set(set, value),
  };
  addHeader(reply as unknown as HttpReply, name, added);
  return headers.get(name);
}

describe('adding to a header that is set already', () => {
  it.each([
    [undefined, 'private, no-cache'],
    ['no-store', 'no-store'],
    ['public, max-age=60, no-transform', 'public, max-age=60, no-transform'],
    ['', 'private, no-cache'],
  ])('Cache-Control: %s becomes %s', (held, expected) => {
    expect(combined('cache-control', held, 'private, no-cache')).toBe(expected);
  });

  it.each([
    ['Origin', 'Origin, Accept-Encoding'],
    [['Origin', 'Cookie'], 'Origin, Cookie, Accept-Encoding'],
    ['accept-encoding, Origin', 'accept-encoding, Origin'],
    ['*', '*'],
    ['Origin, *', '*'],
  ])('Vary: %s becomes %s', (held, expected) => {
    expect(combined('vary', held, 'Accept-Encoding')).toBe(expected);
  });

  it.each([
    ['upstream; fwd=miss', 'upstream; fwd=miss, tidemark; hit'],
    ['a; detail="x, tidemark"', 'a; detail="x, tidemark", tidemark; hit'],
    ['tidemark; fwd=miss; stored', 'tidemark; hit'],
  ])('Cache-Status: %s becomes %s', (held, expected) => {
    expect(combined('cache-status', held, 'tidemark; hit')).toBe(expected);
  });
});

it.each([
  [undefined, undefined],
  ['max-age=0', undefined],
  ['no-cached', undefined],
  ['max-age=0, No-Cache', 'store'],
  ['no-cache,no-store', 'no-store'],
])('Cache-Control: %s of a request asks for a fresh read: %s', (header, expected) => {
  expect(freshReadOf(header)).toBe(expected);
});
