import { beforeAll, describe, expect, it, vi } from 'vitest';
import { writeAnalyser } from '../../../test/support/analysed-writes.js';
import { nameableWrite } from './nameable-write.js';
import { loadParser } from './syntax-tree.js';

beforeAll(loadParser);

const write = vi.spyOn(writeAnalyser, 'write');
const long = (sql: string, length = 10_001): string => sql + ' '.repeat(length - sql.length);

function nameOf(sql: string) {
  return nameableWrite(sql, writeAnalyser.statement(sql), writeAnalyser).name();
}

describe('names of writes', () => {
  it('up to 10,000 characters: those of the parser', () => {
    const sql = long('DELETE FROM users WHERE id = 1', 10_000);
    expect(nameOf(sql)).toBe(writeAnalyser.write(sql));
  });

  it.each([
    [`DELETE FROM users WHERE name = 'secret'`, 'DELETE public.users'],
    [
      'INSERT INTO users VALUES (1) ON CONFLICT (id) DO UPDATE SET region = 1',
      'INSERT OR UPDATE public.users',
    ],
    [
      'DELETE FROM users; DELETE FROM users; DELETE FROM plain',
      'DELETE public.users, DELETE public.plain',
    ],
    ['SELECT writes(1)', 'long text'],
    ['CALL refresh(1)', 'long text'],
    [`UPDAET users SET name = 'secret'`, 'long text'],
  ])('longer: %s: %s, without another parse', (sql, title) => {
    const statement = nameableWrite(long(sql), writeAnalyser.statement(long(sql)), writeAnalyser);
    write.mockClear();
    const name = statement.name();
    expect(write).not.toHaveBeenCalled();
    expect(name).toEqual({ title, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) });
  });

  it('longer: equal fingerprints for one title alone', () => {
    const [one, other, third] = [
      nameOf(long('DELETE FROM users WHERE id IN (1, 2)')),
      nameOf(long('DELETE FROM users WHERE id IN (1, 2, 3)', 200_000)),
      nameOf(long('DELETE FROM plain WHERE id IN (1, 2)')),
    ];
    expect(one).toEqual(other);
    expect(one.fingerprint).not.toBe(third.fingerprint);
  });

  it('a text that the parser may read otherwise: a hash, and no title', () => {
    const sql = 'DELETE FROM users';
    expect(nameableWrite(sql, undefined, undefined).name().title).toBe('unknown');
    expect(nameableWrite(long(sql), undefined, undefined).name().title).toBe('long text');
  });
});
