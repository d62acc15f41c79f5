import { describe, expect, it } from 'vitest';
import { MAX_VALUES, mergeWritten, versionNamesOf, type WrittenTable } from './write-set.js';

function written(dimensions: Record<string, readonly string[] | 'unknown'>): WrittenTable {
  const sets = Object.entries(dimensions).map(
    ([name, values]) => [name, values === 'unknown' ? values : new Set(values)] as const,
  );
  return { table: 'public.users', dimensions: new Map(sets) };
}

describe('versionNamesOf', () => {
  it('names the table, every value, and dimensions with unknown values', () => {
    expect(versionNamesOf(written({ id: ['7'], region: 'unknown' }))).toEqual([
      '*',
      'id=7',
      'region?',
    ]);
  });

  it('treats more values than the maximum as unknown', () => {
    const values = Array.from({ length: MAX_VALUES + 1 }, (_, i) => String(i));
    expect(versionNamesOf(written({ id: values }))).toEqual(['*', 'id?']);
    expect(versionNamesOf(written({ id: values.slice(1) }))).toHaveLength(MAX_VALUES + 1);
  });
});

describe('mergeWritten', () => {
  it('contains the values of both write sets', () => {
    const merged = mergeWritten(
      written({ id: ['1'], region: ['US'] }),
      written({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region=US']);
  });

  it('has unknown values for a dimension that one write set lacks', () => {
    const merged = mergeWritten(
      written({ id: ['1'], region: 'unknown' }),
      written({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region?']);
    expect(
      versionNamesOf(mergeWritten(written({ id: ['1'] }), written({ id: ['2'], region: ['US'] }))),
    ).toEqual(['*', 'id=1', 'id=2', 'region?']);
  });

  it('keeps no values above the maximum', () => {
    const values = Array.from({ length: MAX_VALUES }, (_, i) => String(i));
    const most = mergeWritten(written({ id: values.slice(1) }), written({ id: ['0'] }));
    expect(versionNamesOf(most)).toHaveLength(MAX_VALUES + 1);
    expect(mergeWritten(most, written({ id: ['more'] })).dimensions.get('id')).toBe('unknown');
  });
});
