import { describe, expect, it } from '@jest/globals';
import { MAX_VALUES, mergeWritten, versionNamesOf, type WrittenTable } from './write-set.js';

function written(dimensions: Record<string, readonly string[] | 'unknown'>): WrittenTable {
  const sets = Object.entries(dimensions).map(
    ([name, values]) => [name, values === 'unknown' ? values : new Set(values)] as const,
  );
  return { table: 'public.users', dimensions: new Map(sets) };
}

describe('versionNamesOf', () => {
  it('names the table, every value, and what is not known', () => {
    expect(versionNamesOf(written({ id: ['7'], region: 'unknown' }))).toEqual([
      '*',
      'id=7',
      'region?',
    ]);
  });

  it('counts more values than the most as not known', () => {
    const values = Array.from({ length: MAX_VALUES + 1 }, (_, i) => String(i));
    expect(versionNamesOf(written({ id: values }))).toEqual(['*', 'id?']);
    expect(versionNamesOf(written({ id: values.slice(1) }))).toHaveLength(MAX_VALUES + 1);
  });
});

describe('mergeWritten', () => {
  it('has the values of both', () => {
    const merged = mergeWritten(
      written({ id: ['1'], region: ['US'] }),
      written({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region=US']);
  });

  it('knows nothing of a dimension that one of them does not know', () => {
    const merged = mergeWritten(
      written({ id: ['1'], region: 'unknown' }),
      written({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region?']);
    expect(
      versionNamesOf(mergeWritten(written({ id: ['1'] }), written({ id: ['2'], region: ['US'] }))),
    ).toEqual(['*', 'id=1', 'id=2', 'region?']);
  });

  it('does not keep more values than are named one by one', () => {
    const values = Array.from({ length: MAX_VALUES }, (_, i) => String(i));
    const most = mergeWritten(written({ id: values.slice(1) }), written({ id: ['0'] }));
    expect(versionNamesOf(most)).toHaveLength(MAX_VALUES + 1);
    expect(mergeWritten(most, written({ id: ['more'] })).dimensions.get('id')).toBe('unknown');
  });
});
