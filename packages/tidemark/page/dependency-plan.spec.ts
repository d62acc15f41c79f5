import { describe, expect, it } from 'vitest';
import { planOf, type PlanBox } from './dependency-plan.js';
import { sqlParts } from './sql-words.js';

const TABLES = [
  { table: 'public.users', names: ['region=US', 'region?'] },
  { table: 'public.countries', names: ['*'] },
];

function overlap(a: PlanBox, b: PlanBox): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe('the picture of dependencies', () => {
  it.each([900, 360])('at %s pixels has a box for each part, none over another', (width) => {
    const { boxes, lines, height } = planOf('users.page', TABLES, width);
    expect(boxes.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'query users.page',
      'table public.users',
      'region region = US',
      'region region unknown',
      'table public.countries',
      'region whole table',
    ]);
    expect(lines).toHaveLength(5);
    const pairs = boxes.flatMap((a, at) => boxes.slice(at + 1).map((b) => [a, b] as const));
    expect(pairs.filter(([a, b]) => overlap(a, b))).toEqual([]);
    for (const box of boxes) {
      expect(box.x + box.width).toBeLessThanOrEqual(width + 0.001);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
  });

  it('counts the regions after the eighth', () => {
    const names = Array.from({ length: 12 }, (_, id) => `id=${id}`);
    const { boxes } = planOf('q', [{ table: 't', names }], 900);
    expect(boxes.filter(({ kind }) => kind === 'region')).toHaveLength(9);
    expect(boxes.at(-1)?.text).toBe('4 more');
  });
});

describe('SQL for display', () => {
  it('breaks lines before clauses and changes nothing in quotes', () => {
    const parts = sqlParts(`SELECT 'a from b', "from" FROM t WHERE x = $1`);
    expect(parts.map(({ text }) => text).join('')).toBe(
      `SELECT 'a from b', "from"\nFROM t\nWHERE x = $1`,
    );
    expect(parts.filter(({ kind }) => kind === 'keyword').map(({ text }) => text)).toEqual([
      'SELECT',
      'FROM',
      'WHERE',
    ]);
  });
});
