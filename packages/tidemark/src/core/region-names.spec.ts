import { describe, expect, it } from 'vitest';
import { regionNamesOf } from './region-names.js';
import { unknownVersion, valueVersion, WHOLE_TABLE } from './versions.js';

const USERS = 'public.users';
const names = (...values: string[]) => [
  { table: USERS, names: values.map((value) => valueVersion('region', value)) },
];

describe('regionNamesOf', () => {
  it('keeps names without a value', () => {
    const tables = [
      { table: USERS, names: [WHOLE_TABLE, unknownVersion('region'), unknownVersion('a=b?c')] },
      { table: '#schema', names: [WHOLE_TABLE, 'all-tables'] },
    ];
    expect(regionNamesOf(false)(tables)).toEqual(tables);
  });

  it('replaces a value by the same 6 hex digits in every process', () => {
    const [users] = regionNamesOf(false)(names('US'));
    // The start of `printf 'public.users\0region=US' | sha256sum`.
    expect(users).toEqual({ table: USERS, names: ['region=e77caa'] });
    expect(regionNamesOf(false)(names('US'))).toEqual([users]);
  });

  it('has different digests for equal values of other tables and dimensions', () => {
    const digests = [
      { table: USERS, names: [valueVersion('region', 'US'), valueVersion('id', 'US')] },
      { table: 'public.orders', names: [valueVersion('region', 'US')] },
    ];
    const shown = regionNamesOf(false)(digests).flatMap((part) => part.names);
    expect(new Set(shown.map((name) => name.slice(name.indexOf('=')))).size).toBe(3);
  });

  it.each([
    ['an equals sign', 'a=secret'],
    ['a question mark', 'secret?'],
    ['a line break', 'x\nregion=secret'],
    ['a colon', 'secret:1'],
    ['letters outside ASCII', 'sécrét — 秘密 🔑'],
    ['half of a pair of code units', 'secret\ud800'],
    ['no letter', ''],
    ['more letters than a name has', 'secret'.repeat(100)],
    ['several columns', JSON.stringify(['secret', 7])],
    ['the form of a digest', 'abcdef'],
  ])('shows nothing of a value with %s', (_, value) => {
    const shown = regionNamesOf(false)(names(value)).flatMap((part) => part.names);
    expect(shown).toEqual([expect.stringMatching(/^region=[0-9a-f]{6}$/)]);
    expect(shown).not.toContain(valueVersion('region', value));
  });

  it('shows all values, or those of the listed dimensions alone', () => {
    const tables = [
      { table: USERS, names: [valueVersion('region', 'US'), valueVersion('e mail', 'a@b')] },
      { table: 'public.orders', names: [valueVersion('region', 'US')] },
    ];
    expect(regionNamesOf(true)(tables)).toEqual(tables);
    expect(regionNamesOf(['public.users.e mail'])(tables)).toEqual([
      { table: USERS, names: [expect.stringMatching(/^region=[0-9a-f]{6}$/), 'e%20mail=a@b'] },
      { table: 'public.orders', names: [expect.stringMatching(/^region=[0-9a-f]{6}$/)] },
    ]);
  });

  it('names 100 of many values, and all names without a value', () => {
    const many = Array.from({ length: 5_000 }, (_, id) => valueVersion('id', `${id}`));
    const [users] = regionNamesOf(true)([
      { table: USERS, names: [...many, unknownVersion('id'), valueVersion('region', 'US')] },
    ]);
    expect(users?.names).toEqual([...many.slice(0, 100), 'id?', 'region=US']);
  });

  it('returns the same regions for the same list', () => {
    const regionNames = regionNamesOf(false);
    const tables = names('US');
    expect(regionNames(tables)).toBe(regionNames(tables));
  });
});
