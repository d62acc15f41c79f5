import { expect, it } from 'vitest';
import { sqlWithoutValues } from './sql-without-values.js';

it.each([
  [
    'parameters and names stay',
    'SELECT "a--b" FROM t WHERE a = $1',
    'SELECT "a--b" FROM t WHERE a = $1',
  ],
  ['a text, a number and a list', `SELECT 1 FROM t WHERE a IN ('x', 'y') AND b = -7`, undefined],
  ['dollar quotes, escapes and bits', `SELECT $q$x$q$, E'\\'x', U&'x', B'01', 1.5`, undefined],
  [
    'a literal that looks like a comment',
    `SELECT '--x' AS a, '/* x' AS b`,
    'SELECT $1 AS a, $2 AS b',
  ],
  ['comments, also in one another', 'SELECT a -- x\nFROM t /* x /* x */ x */', 'SELECT a \nFROM t'],
  ['a text that is no SQL', `SELEC 'x'`, undefined],
])('%s', async (_, sql, expected) => {
  const shown = await sqlWithoutValues(sql);
  if (expected !== undefined) expect(shown).toBe(expected);
  expect(shown).not.toMatch(/\bx\b(?!")|\by\b|7|01|1\.5/);
});
