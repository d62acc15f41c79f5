import { beforeAll, describe, expect, it } from '@jest/globals';
import { buildCatalogue } from '../../../test/support/catalogue-builder.js';
import { versionNamesOf } from '../core/touched-regions.js';
import { loadParser, SqlAnalyser } from './sql-analyser.js';
import { touchedBy, type WriteOutcome } from './touched.js';

const catalogue = buildCatalogue({
  tables: {
    'public.users': {
      columns: { id: 'integer', username: 'text', region: 'text', email: 'text' },
      dimensions: ['id', 'region'],
    },
    'public.members': {
      columns: { team: 'text', number: 'integer', region: 'text' },
      dimensions: ['team,number', 'region'],
    },
  },
});
const analyser = new SqlAnalyser(catalogue);

beforeAll(loadParser);

/** The versions that the write replaces beside that of the table. */
function touched(
  sql: string,
  parameters: readonly unknown[],
  outcome: Partial<WriteOutcome> = {},
): string | undefined {
  const analysis = analyser.statement(sql);
  const write = analysis.kind === 'write' ? analysis.writes[0] : undefined;
  const facts = catalogue.tables.find(({ id }) => id === write?.table);
  if (!write || !facts) throw new Error(`${sql} is no write`);
  const part = touchedBy(write, parameters, { rowCount: 1, rows: [], ...outcome }, facts);
  return part && versionNamesOf(part).slice(1).toSorted().join(' ');
}

/** A trigger tells of row 7, in these regions before or after. */
const noticed = (regions: readonly string[]): Partial<WriteOutcome> => ({
  noticed: new Map([
    ['id', new Set(['7'])],
    ['region', new Set(regions)],
  ]),
});

describe('a write without a row', () => {
  it('touches nothing', () => {
    expect(touched('DELETE FROM users', [], { rowCount: 0 })).toBeUndefined();
  });
});

describe('inserts', () => {
  const insert = 'INSERT INTO users (id, region) VALUES ($1, $2), ($3, $4)';
  const generated = 'INSERT INTO users (username, region) VALUES ($1, $2)';

  it('touch the values given', () => {
    expect(touched(insert, [1, 'US', 2, 'EU'], { rowCount: 2 })).toBe(
      'id=1 id=2 region=EU region=US',
    );
  });

  it('touch the values returned rather than those given', () => {
    const rows = [{ id: 7, region: 'EU' }];
    expect(touched(`${generated} RETURNING id, region`, ['a', 'US'], { rows })).toBe(
      'id=7 region=EU',
    );
    expect(touched(`${generated} RETURNING id AS i`, ['a', 'US'], { rows: [{ i: '7' }] })).toBe(
      'id=7 region=US',
    );
  });

  it('touch answers that lack a row where the key is not known', () => {
    expect(touched(generated, ['a', 'US'])).toBe('id+ region=US');
    expect(touched(insert, [1, 'US', undefined, 'US'], { rowCount: 2 })).toBe('id+ id=1 region=US');
    expect(touched(`${generated} RETURNING id`, ['a', 'US'], { rows: [] })).toBe('id+ region=US');
  });

  it('know no region that a default fills, or that has no canonical text', () => {
    expect(touched('INSERT INTO users (id) VALUES ($1)', [7])).toBe('id=7 region?');
    expect(touched(generated, ['a', 'US '])).toBe('id+ region?');
    expect(touched('INSERT INTO users SELECT 1', [], { rowCount: 9 })).toBe('id+ region?');
    expect(touched('INSERT INTO users DEFAULT VALUES', [])).toBe('id+ region?');
  });

  it('touch no region with NULL', () => {
    expect(touched('INSERT INTO users (id, region) VALUES (7, $1)', [null])).toBe('id=7');
    expect(touched('INSERT INTO users (id, region) VALUES (7, NULL)', [])).toBe('id=7');
  });

  it('take a key together from what was given and what was returned of a single row', () => {
    const one = 'INSERT INTO members (team, region) VALUES ($1, $2) RETURNING number';
    expect(touched(one, ['a', 'US'], { rows: [{ number: 3 }] })).toBe(
      'region=US team%2Cnumber=["a","3"]',
    );
    const two = 'INSERT INTO members (team) VALUES ($1), ($2) RETURNING number';
    expect(touched(two, ['a', 'b'], { rowCount: 2, rows: [{ number: 3 }, { number: 4 }] })).toBe(
      'region? team%2Cnumber+',
    );
  });
});

describe('upserts', () => {
  const upsert =
    'INSERT INTO users (id, username, region) VALUES ($1, $2, $3) ON CONFLICT (username) DO UPDATE SET';

  it('may have changed a row with another key and region', () => {
    expect(touched(`${upsert} region = EXCLUDED.region`, [7, 'a', 'US'])).toBe('id+ id? region?');
  });

  it('changed the row that came back; its old region is known only where it is kept', () => {
    const rows = [{ id: 9, region: 'US' }];
    expect(touched(`${upsert} region = $3 RETURNING id, region`, [7, 'a', 'US'], { rows })).toBe(
      'id=9 region?',
    );
    expect(touched(`${upsert} email = $2 RETURNING id, region`, [7, 'a', 'US'], { rows })).toBe(
      'id=9 region=US',
    );
  });

  it('may have changed the key itself', () => {
    const rows = [{ id: 9 }];
    expect(touched(`${upsert} id = EXCLUDED.id RETURNING id`, [9, 'a', 'US'], { rows })).toBe(
      'id+ id? region?',
    );
  });

  it('that do nothing on conflict are inserts', () => {
    const sql = 'INSERT INTO users (id, region) VALUES (1, $1), (2, $2) ON CONFLICT DO NOTHING';
    expect(touched(sql, ['US', 'EU'])).toBe('id=1 id=2 region=EU region=US');
  });
});

describe('updates', () => {
  const move = 'UPDATE users SET region = $1 WHERE id = $2';
  const rename = 'UPDATE users SET email = $1 WHERE id = $2';

  it('touch the old region and the new one', () => {
    expect(touched(move, ['EU', 7], noticed(['US', 'EU']))).toBe('id=7 region=EU region=US');
    expect(touched(move, ['EU', 7])).toBe('id=7 region?');
  });

  it('touch the region a row stays in', () => {
    expect(touched(rename, ['a', 7], noticed(['US']))).toBe('id=7 region=US');
    expect(touched(`${rename} RETURNING region`, ['a', 7], { rows: [{ region: 'US' }] })).toBe(
      'id=7 region=US',
    );
    expect(touched(`${rename} AND region = $3`, ['a', 7, 'US'])).toBe('id=7 region=US');
  });

  it('in bulk touch what WHERE and SET name', () => {
    const sql = 'UPDATE users SET region = $1 WHERE region = $2';
    expect(touched(sql, ['EU', 'US'], { rowCount: 500 })).toBe('id? region=EU region=US');
    expect(touched('UPDATE users SET email = $1', ['a'])).toBe('id? region?');
    expect(touched('UPDATE users SET email = $1', ['a'], noticed(['US']))).toBe('id=7 region=US');
  });

  it('know the values of an expression only from a trigger', () => {
    const sql = 'UPDATE users SET region = upper(region) WHERE id = 7';
    expect(touched(`${sql} RETURNING region`, [], { rows: [{ region: 'US' }] })).toBe(
      'id=7 region?',
    );
    expect(touched(sql, [], noticed(['us', 'US']))).toBe('id=7 region=US region=us');
  });

  it('of a key touch both keys', () => {
    expect(touched('UPDATE users SET id = 8 WHERE id = 7 AND region = $1', ['US'])).toBe(
      'id=7 id=8 region=US',
    );
    const sql = 'UPDATE members SET number = 2 WHERE team = $1 AND number = 1';
    expect(touched(sql, ['a'])).toBe('region? team%2Cnumber=["a","1"] team%2Cnumber=["a","2"]');
  });
});

describe('deletes', () => {
  it('touch the old rows, as returned, proven or told by a trigger', () => {
    expect(touched('DELETE FROM users RETURNING *', [], { rows: [{ id: 7, region: 'US' }] })).toBe(
      'id=7 region=US',
    );
    const sql = 'DELETE FROM users WHERE id = $1';
    expect(touched(sql, [7], noticed(['US']))).toBe('id=7 region=US');
    expect(touched(sql, [7])).toBe('id=7 region?');
    expect(touched('DELETE FROM users', [], { rowCount: 3 })).toBe('id? region?');
  });

  it('do not believe fewer returned rows than were written', () => {
    const outcome = { rowCount: 2, rows: [{ id: 7, region: 'US' }] };
    expect(touched('DELETE FROM users RETURNING *', [], outcome)).toBe('id? region?');
  });
});
