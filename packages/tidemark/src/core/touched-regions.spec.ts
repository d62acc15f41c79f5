import { describe, expect, it } from '@jest/globals';
import { MOST_VALUES, mergeTouched, versionNamesOf, type TouchedTable } from './touched-regions.js';

function touched(dimensions: Record<string, readonly string[] | 'unknown'>): TouchedTable {
  const sets = Object.entries(dimensions).map(
    ([name, values]) => [name, values === 'unknown' ? values : new Set(values)] as const,
  );
  return { table: 'public.users', dimensions: new Map(sets) };
}

describe('versionNamesOf', () => {
  it('names the table, every value, and what is not known', () => {
    expect(versionNamesOf(touched({ id: ['7'], region: 'unknown' }))).toEqual([
      '*',
      'id=7',
      'region?',
    ]);
  });

  it('counts more values than the most as not known', () => {
    const values = Array.from({ length: MOST_VALUES + 1 }, (_, i) => String(i));
    expect(versionNamesOf(touched({ id: values }))).toEqual(['*', 'id?']);
    expect(versionNamesOf(touched({ id: values.slice(1) }))).toHaveLength(MOST_VALUES + 1);
  });
});

describe('mergeTouched', () => {
  it('has the values of both', () => {
    const merged = mergeTouched(
      touched({ id: ['1'], region: ['US'] }),
      touched({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region=US']);
  });

  it('knows nothing of a dimension that one of them does not know', () => {
    const merged = mergeTouched(
      touched({ id: ['1'], region: 'unknown' }),
      touched({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region?']);
    expect(
      versionNamesOf(mergeTouched(touched({ id: ['1'] }), touched({ id: ['2'], region: ['US'] }))),
    ).toEqual(['*', 'id=1', 'id=2', 'region?']);
  });

  it('does not keep more values than are named one by one', () => {
    const values = Array.from({ length: MOST_VALUES }, (_, i) => String(i));
    const most = mergeTouched(touched({ id: values.slice(1) }), touched({ id: ['0'] }));
    expect(versionNamesOf(most)).toHaveLength(MOST_VALUES + 1);
    expect(mergeTouched(most, touched({ id: ['more'] })).dimensions.get('id')).toBe('unknown');
  });
});
