import { describe, expect, it } from 'vitest';
import { inBucket } from '../../core/buckets.js';

import { bucketOf, BUCKETS, slotOf, tagOfBucket, wordsForSlots } from './slots.js';

describe('slotOf', () => {
  // As CLUSTER KEYSLOT answers.
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['{foo}bar', 12_182],
    ['a{foo}{bar}', 12_182],
    ['foo{}', 5542],
    ['', 0],
  ])('%j lies in slot %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });
});

describe('wordsForSlots', () => {
  it.each([
    ['5', 'slot 5 is its'],
    ['5-6', 'slots 5-6 are their'],
    ['5, 77', 'slots 5, 77 are their'],
  ])('has for %s: %s', (slots, words) => {
    expect(Object.values(wordsForSlots(slots)).join(' ')).toBe(words);
  });
});

describe('the buckets', () => {
  it('lie in slots at equal distances, in their order', () => {
    const slots = Array.from({ length: BUCKETS }, (_, bucket) =>
      slotOf(`x:{${tagOfBucket(bucket)}}:y`),
    );
    expect(slots.map((slot) => Math.floor(slot / 1024))).toEqual([...slots.keys()]);
  });

  it('hold a table each time in the same one, and all tables together in all of them', () => {
    const tables = Array.from({ length: 500 }, (_, number) => `public.table_${number}`);
    const buckets = tables.map(bucketOf);
    expect(tables.map(bucketOf)).toEqual(buckets);
    expect(new Set(buckets).size).toBe(BUCKETS);
    expect(Math.min(...buckets)).toBe(0);
  });

  it('hold what concerns all tables once each', () => {
    const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
    expect(buckets.map((bucket) => bucketOf(inBucket('#schema', bucket)))).toEqual(buckets);
    // The name of a real table has a dot.
    expect(bucketOf('#odd.table/77')).toBeLessThan(BUCKETS);
  });
});
