import { describe, expect, it } from 'vitest';
import { BOUNDS, Bounds } from './bounds.js';

describe('Bounds', () => {
  const { ms } = BOUNDS['older-data'];
  let nowMs = 0;

  function opened(fromMs: number, untilMs: number | undefined): Bounds {
    const bounds = new Bounds(() => nowMs);
    nowMs = fromMs;
    const close = bounds.open('older-data');
    if (untilMs !== undefined) {
      nowMs = untilMs;
      close();
    }
    return bounds;
  }

  it.each([
    ['before the fault', 50, 99, false],
    ['into the fault', 50, 100, true],
    ['within the fault', 120, 130, true],
    ['sent at the end of the bound', 200 + ms, 300 + ms, true],
    ['sent after the bound', 201 + ms, 202 + ms, false],
  ])('allow a read %s: from %i to %i, %s', (_when, fromMs, untilMs, isAllowed) => {
    const bounds = opened(100, 200);
    expect(bounds.covers({ fromMs, untilMs })).toBe(isAllowed);
    expect(bounds.allow({ fromMs, untilMs })).toBe(isAllowed);
  });

  it('have no end while the fault lasts', () => {
    expect(opened(100, undefined).covers({ fromMs: 1e6, untilMs: 1e6 })).toBe(true);
  });

  it('count the old answers that they have allowed, and the latest of them', () => {
    const bounds = opened(100, 200);
    bounds.allow({ fromMs: 150, untilMs: 160 });
    bounds.allow({ fromMs: 290, untilMs: 300 });
    bounds.allow({ fromMs: 250, untilMs: 300 });
    expect([...bounds.used]).toEqual([['older-data', { answers: 3, latestMs: 90 }]]);
  });
});
