import { describe, expect, it } from 'vitest';
import { encodingFor } from './content-encoding.js';

describe('encodingFor', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['br;q=0.5, gzip;q=0.9', 'gzip'],
    ['BR', 'br'],
    ['x-gzip', 'gzip'],
    ['*', 'br'],
    ['*, br;q=0', 'gzip'],
    ['br;q=0, gzip;q=0', 'identity'],
    ['identity, gzip;q=0.5', 'identity'],
    ['deflate, zstd', 'identity'],
    ['gzip;q=nonsense', 'identity'],
  ])('%s -> %s', (header, expected) => {
    expect(encodingFor(header)).toBe(expected);
  });

  it('answers more different headers than it remembers', () => {
    const headers = Array.from({ length: 200 }, (_, number) => `gzip, x-${number}`);
    for (const header of [...headers, ...headers]) expect(encodingFor(header)).toBe('gzip');
    expect(encodingFor('br')).toBe('br');
  });
});
