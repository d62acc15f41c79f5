import { describe, expect, it } from 'vitest';
import type { CacheEntry } from './ports/entry-store.js';
import type { TableVersionNames } from './ports/version-store.js';
import { missCauseOf, stampDifference } from './stamp-difference.js';
import { valueVersion } from './versions.js';

const USERS = 'public.users';
const ORDERS = 'public.orders';
const SCHEMA = { table: '#schema', names: ['*', 'all-tables'] };
const LISTS: readonly TableVersionNames[] = [
  { table: USERS, names: ['region=EU', 'region=US', 'region?'] },
  { table: ORDERS, names: ['*'] },
  SCHEMA,
];

/** As the gate writes it: all versions are `v`, and all epochs `e node`, but for the given ones. */
function stampOf(dependencies: readonly TableVersionNames[], given: Record<string, string> = {}) {
  const text = dependencies
    .map(({ table, names }) => {
      const lines = names.map((name) => `\n${name}:${given[`${table} ${name}`] ?? 'v'}`);
      return `${table}@${given[table] ?? 'e node'}${lines.join('')}\n`;
    })
    .join('');
  return { text, dependencies };
}

describe('stampDifference', () => {
  const differences = (given: Record<string, string>) =>
    stampDifference(stampOf(LISTS, given), stampOf(LISTS).text);

  it('names no version of equal stamps', () => {
    expect(differences({})).toEqual([]);
  });

  it('names the replaced versions of each table', () => {
    const replaced = {
      [`${USERS} region=US`]: 'w',
      [`${USERS} region?`]: 'w',
      [`${ORDERS} *`]: 'w',
    };
    expect(differences(replaced)).toEqual([
      { table: USERS, names: ['region=US', 'region?'] },
      { table: ORDERS, names: ['*'] },
    ]);
  });

  it('names the whole table if its epoch was replaced, and the other tables by their versions', () => {
    expect(differences({ [USERS]: 'f node', [`${ORDERS} *`]: 'w' })).toEqual([
      { table: USERS, names: ['*'] },
      { table: ORDERS, names: ['*'] },
    ]);
    expect(differences({ [USERS]: 'f node', [`${USERS} region=US`]: 'w' })).toEqual([
      { table: USERS, names: ['*'] },
    ]);
  });

  it('names the version of the schema', () => {
    expect(differences({ '#schema all-tables': 'w' })).toEqual([
      { table: '#schema', names: ['all-tables'] },
    ]);
  });

  it('takes no value of a region for a line of the stamp', () => {
    const values = [
      'a',
      'a:v\nregion=b',
      'b',
      'b:w\nregion=a',
      ':',
      '\n',
      '=',
      '?',
      '\n\n',
      '',
      'é🔑',
    ];
    const lists = [
      { table: USERS, names: values.map((value) => valueVersion('region', value)) },
      SCHEMA,
    ];
    for (const value of values) {
      const name = valueVersion('region', value);
      const now = stampOf(lists, { [`${USERS} ${name}`]: 'w' });
      expect(stampDifference(now, stampOf(lists).text)).toEqual([{ table: USERS, names: [name] }]);
    }
  });

  it.each<[string, string]>([
    ['has no text', ''],
    ['is cut off', stampOf(LISTS).text.slice(0, -1)],
    ['has more tables', stampOf([...LISTS, SCHEMA]).text],
    ['has fewer tables', stampOf(LISTS.slice(0, 2)).text],
    ['has other regions', stampOf([{ table: USERS, names: ['region?'] }, ...LISTS.slice(1)]).text],
  ])('names none if the earlier stamp %s', (_, before) => {
    expect(stampDifference(stampOf(LISTS), before)).toEqual([]);
  });

  it('compares thousands of versions', () => {
    const names = Array.from({ length: 20_000 }, (__, id) => `id=${id}`);
    const lists = [{ table: USERS, names }, SCHEMA];
    const now = stampOf(lists, { [`${USERS} id=19999`]: 'w' });
    expect(stampDifference(now, stampOf(lists).text)).toEqual([
      { table: USERS, names: ['id=19999'] },
    ]);
  });
});

describe('missCauseOf', () => {
  const now = stampOf(LISTS, { [`${USERS} region=US`]: 'w' });
  const entry = (createdAtMs: number, stamp: string): CacheEntry => ({
    stamp,
    createdAtMs,
    expiresAtMs: createdAtMs + 1,
    body: Buffer.alloc(0),
    empty: false,
    tag: '',
    headers: {},
  });
  const older = stampOf(LISTS, { [`${ORDERS} *`]: 'u' }).text;

  it('is new if no entry is known', () => {
    expect(missCauseOf(now, [undefined, undefined])).toEqual({ cause: 'new', outdated: [] });
  });

  it('is expired if the known entry has the stamp', () => {
    expect(missCauseOf(now, [entry(1, now.text), undefined])).toEqual({
      cause: 'expired',
      outdated: [],
    });
  });

  it('is outdated by the versions that differ from the newest known entry', () => {
    const outdated = [{ table: USERS, names: ['region=US'] }];
    const [first, second] = [entry(1, older), entry(2, stampOf(LISTS).text)];
    expect(missCauseOf(now, [first, second])).toEqual({ cause: 'outdated', outdated });
    expect(missCauseOf(now, [second, first])).toEqual({ cause: 'outdated', outdated });
  });
});
