import { describe, expect, it } from 'vitest';
import { matches, orderText, parseOrder, sorted, type SortValue } from './sorting.js';

const identity = (value: SortValue): SortValue => value;

describe('the order of a table', () => {
  it('survives its text', () => {
    const fallback = { column: 'calls', isDescending: true };
    for (const text of ['calls', '-calls']) {
      expect(orderText(parseOrder(text, fallback))).toBe(text);
    }
    expect(parseOrder(undefined, fallback)).toBe(fallback);
  });

  it('sorts numbers by size, and names with numbers as people do', () => {
    expect(sorted([10, 9, 100], identity, false)).toEqual([9, 10, 100]);
    expect(sorted(['q10', 'q9', 'Q1'], identity, true)).toEqual(['q10', 'q9', 'Q1']);
  });

  it('puts rows without a value last in both directions', () => {
    expect(sorted([undefined, 1, 2], identity, false)).toEqual([1, 2, undefined]);
    expect(sorted([undefined, 1, 2], identity, true)).toEqual([2, 1, undefined]);
  });

  it('keeps equal rows in their order', () => {
    const rows = [
      { name: 'a', size: 1 },
      { name: 'b', size: 1 },
    ];
    expect(sorted(rows, ({ size }) => size, true)).toEqual(rows);
  });
});

describe('a filter', () => {
  it.each([
    ['', true],
    ['USERS', true],
    ['page users', true],
    ['users orders', false],
  ])('%j on users.page: %s', (filter, isShown) => {
    expect(matches('users.page', filter)).toBe(isShown);
  });
});
