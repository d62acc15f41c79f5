import { describe, expect, it } from 'vitest';
import { QueryCounts } from './query-counts.js';

function countsOf(maxNames: number) {
  let nowMs = 0;
  const counts = new QueryCounts({ nowMs: () => nowMs }, maxNames);
  return {
    read: (query: string, times = 1) => {
      for (let i = 0; i < times; i++) counts.of(query).l1++;
    },
    names: () => counts.entries().map(([query]) => query),
    hits: () => Object.fromEntries(counts.entries().map(([query, { l1 }]) => [query, l1])),
    passMinute: () => (nowMs += 60_000),
  };
}

describe('the counts by query', () => {
  it('give the first names a count each, and sum the rest as `other`', () => {
    const { read, hits } = countsOf(2);
    read('a', 3);
    read('b');
    read('c', 5);
    read('d');
    expect(hits()).toEqual({ a: 3, b: 1, other: 6 });
  });

  it('give a busier name the place of the least busy one after a minute, and move no count', () => {
    const { read, hits, passMinute } = countsOf(2);
    read('a', 3);
    read('b');
    read('c', 5);
    expect(hits()).toEqual({ a: 3, b: 1, other: 5 });
    passMinute();
    expect(hits()).toEqual({ a: 3, c: 0, other: 5 });
    read('c', 2);
    read('b');
    expect(hits()).toEqual({ a: 3, c: 2, other: 6 });
  });

  it('compare the requests of the last minute, not all that there were', () => {
    const { read, names, passMinute } = countsOf(1);
    read('morning', 100);
    passMinute();
    expect(names()).toEqual(['morning', 'other']);
    read('evening', 3);
    read('morning', 1);
    passMinute();
    expect(names()).toEqual(['evening', 'other']);
  });

  it('keep a name that is not much less busy than another', () => {
    const { read, names, passMinute } = countsOf(1);
    read('a', 5);
    read('b', 10);
    passMinute();
    expect(names()).toEqual(['a', 'other']);
  });

  it('stay bounded under any number of names, however long', () => {
    const { read, hits, passMinute } = countsOf(200);
    let minutes = 0;
    for (let i = 0; i < 20_000; i++) {
      read(`${i}${'x'.repeat(500)}`);
      if (i % 5_000 === 0) {
        passMinute();
        hits();
        minutes++;
      }
    }
    const found = Object.entries(hits());
    expect(minutes).toBe(4);
    expect(found).toHaveLength(201);
    expect(Math.max(...found.map(([query]) => query.length))).toBe(120);
  });

  it('have one series for the queries that are named `other` themselves', () => {
    const { read, names, hits } = countsOf(2);
    read('other', 2);
    read('a');
    expect(names()).toEqual(['a', 'other']);
    expect(hits()).toEqual({ a: 1, other: 2 });
  });
});
