import { describe, expect, it } from 'vitest';
import { auditOf, sumMinutes } from './sums.js';

describe('sums of reports', () => {
  it('aligns the minutes of instances whose reports are of different minutes', () => {
    const one = { requests: 1, hits: 1, savedMs: 2 };
    const two = { requests: 10, hits: 5, savedMs: 20 };
    const sums = sumMinutes([
      { atMs: 60_000 * 100 + 500, minutes: [one, two] },
      { atMs: 60_000 * 99 + 59_900, minutes: [two, one] },
    ]);
    expect(sums).toHaveLength(60);
    expect(sums.slice(-3)).toEqual([
      { requests: 10, hits: 5, savedMs: 20 },
      { requests: 2, hits: 2, savedMs: 4 },
      { requests: 10, hits: 5, savedMs: 20 },
    ]);
  });

  it('leaves out minutes that are over', () => {
    const old = { atMs: 60_000 * 40, minutes: [{ requests: 1, hits: 0, savedMs: 0 }] };
    expect(sumMinutes([old], 60_000 * 100).every(({ requests }) => requests === 0)).toBe(true);
  });

  it.each([
    { compared: 0, different: 0, most: undefined },
    { compared: 12_345, different: 0, most: 0.000_243 },
    { compared: 10_000, different: 10, most: 0.001_67 },
    { compared: 2, different: 2, most: 1 },
  ])('bounds the share of $different of $compared with 95 % confidence', (given) => {
    const { compared, different, most } = given;
    const audits = [
      { audit: { share: 0.001, compared, different } },
      { audit: { share: 0, compared: 0, different: 0 } },
    ];
    const sum = auditOf(audits);
    expect(sum).toMatchObject({ share: 0.001, compared, different });
    if (most === undefined) expect(sum.maxDifferentShare).toBeUndefined();
    else expect(sum.maxDifferentShare).toBeCloseTo(most, 5);
  });
});
