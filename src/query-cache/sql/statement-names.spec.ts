import { describe, expect, it } from '@jest/globals';
import { StatementNames } from './statement-names.js';

function nameOf(names: StatementNames, sql: string, times: number): string | undefined {
  let name: string | undefined;
  for (let time = 0; time < times; time += 1) name = names.nameOf(sql);
  return name;
}

describe('StatementNames', () => {
  it('names what is sent often, by its text alone', () => {
    const [one, another] = [new StatementNames(), new StatementNames()];
    expect(nameOf(one, 'SELECT 1', 4)).toBeUndefined();
    const name = nameOf(one, 'SELECT 1', 1);
    expect(name).toMatch(/^tidemark_/);
    // PostgreSQL cuts longer names off.
    expect(name?.length).toBeLessThan(64);
    nameOf(another, 'SELECT 2', 5);
    expect(nameOf(another, 'SELECT 1', 5)).toBe(name);
    expect(nameOf(another, 'SELECT 2', 1)).not.toBe(name);
  });

  it('names only so many', () => {
    const names = new StatementNames();
    const named = Array.from({ length: 300 }, (_, i) => nameOf(names, `SELECT ${i}`, 5));
    expect(named.filter((name) => name !== undefined)).toHaveLength(200);
    expect(named[0]).toBe(nameOf(names, 'SELECT 0', 1));
  });

  it('is to blame once, for what the server says of names', () => {
    const names = new StatementNames();
    nameOf(names, 'SELECT 1', 5);
    expect(names.isToBlame('SELECT 1', { code: '23505' })).toBe(false);
    expect(names.isToBlame('SELECT 2', { code: '26000' })).toBe(false);
    expect(nameOf(names, 'SELECT 1', 1)).toBeDefined();
    expect(names.isToBlame('SELECT 1', { code: '26000' })).toBe(true);
    expect(names.isToBlame('SELECT 1', { code: '26000' })).toBe(false);
    expect(nameOf(names, 'SELECT 1', 9)).toBeUndefined();
  });
});
