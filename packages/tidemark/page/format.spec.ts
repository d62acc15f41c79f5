import { describe, expect, it } from 'vitest';
import { ago, bytes, count, counted, duration, NONE, percent, shareOf } from './format.js';

describe('numbers with their units', () => {
  it.each([
    [undefined, NONE],
    [0, '0 ms'],
    [0.004, '< 0.01 ms'],
    [0.214, '0.21 ms'],
    [1, '1 ms'],
    [2.44, '2.4 ms'],
    [9.96, '10 ms'],
    [412.3, '412 ms'],
    [999.6, '1 s'],
    [1_480, '1.5 s'],
    [61_000, '1 min'],
    [3_599_000, '1 h'],
    [9_000_000, '2.5 h'],
    [200_000_000, '2.3 d'],
  ])('a duration of %s milliseconds is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it.each([
    [undefined, NONE],
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1 KB'],
    [41_830, '41 KB'],
    [1_048_575, '1 MB'],
    [67_108_864, '64 MB'],
    [7_600_000_000, '7.1 GB'],
  ])('a size of %s bytes is %s', (size, text) => {
    expect(bytes(size)).toBe(text);
  });

  it.each([
    [undefined, NONE],
    [0, '0 %'],
    [0.000_4, '< 0.1 %'],
    [0.5, '50 %'],
    [0.9371, '93.7 %'],
    [0.999_7, '> 99.9 %'],
    [1, '100 %'],
  ])('a share of %s is %s', (share, text) => {
    expect(percent(share)).toBe(text);
  });

  it('a part of nothing is no share', () => {
    expect(shareOf(0, 0)).toBeUndefined();
    expect(shareOf(1, 4)).toBe(0.25);
  });

  it('counts are grouped, and agree with their noun', () => {
    expect(count(1_204_331)).toBe('1,204,331');
    expect(counted(1, 'query', 'queries')).toBe('1 query');
    expect(counted(2, 'query', 'queries')).toBe('2 queries');
  });

  it.each([
    [-500, 'now'],
    [999, 'now'],
    [3_200, '3 s ago'],
    [61_000, '1 min ago'],
    [7_300_000, '2 h ago'],
    [180_000_000, '2 d ago'],
  ])('%s milliseconds ago is %s', (pastMs, text) => {
    expect(ago(1_000_000_000 - pastMs, 1_000_000_000)).toBe(text);
  });
});
