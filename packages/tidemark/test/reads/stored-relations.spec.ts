/**
 * Real: PostgreSQL. Relations of the database that are no plain tables: views, materialised views,
 * partitions, tables that inherit, and tables with row security.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineQuery, type BoundQuery } from '../../src/index.js';
import { CachedReads } from './cached-reads.js';
import { Furniture } from './fixtures/library.entities.js';

const SCHEMA = [
  'CREATE TABLE ships (id integer PRIMARY KEY, port text NOT NULL, crew integer)',
  'CREATE TABLE ports (name text PRIMARY KEY, country text)',
  `CREATE VIEW docked AS SELECT s.id, s.crew, p.country FROM ships s JOIN ports p ON p.name = s.port`,
  'CREATE VIEW crews AS SELECT country, sum(crew)::integer AS crew FROM docked GROUP BY country',
  'CREATE MATERIALIZED VIEW census AS SELECT count(*)::integer AS ships FROM ships',
  `CREATE TABLE events (id integer, year integer, what text, PRIMARY KEY (id, year))
     PARTITION BY LIST (year)`,
  'CREATE TABLE events_25 PARTITION OF events FOR VALUES IN (2025)',
  'CREATE TABLE events_26 PARTITION OF events FOR VALUES IN (2026)',
  'CREATE TABLE animals (id integer PRIMARY KEY, name text)',
  'CREATE TABLE dogs (breed text) INHERITS (animals)',
  'CREATE TABLE secrets (id integer PRIMARY KEY, owner text, body text)',
  'CREATE TABLE clearances (secret integer PRIMARY KEY)',
  'ALTER TABLE secrets ENABLE ROW LEVEL SECURITY',
  `CREATE POLICY readers ON secrets FOR SELECT
     USING (owner = current_user OR id IN (SELECT secret FROM clearances))`,
  'CREATE VIEW opened WITH (security_invoker = true) AS SELECT id, body FROM secrets',
];

const CONTENT = [
  "INSERT INTO ports VALUES ('Brest', 'FR'), ('Lyttelton', 'NZ')",
  "INSERT INTO ships VALUES (1, 'Brest', 10), (2, 'Lyttelton', 20), (3, 'Brest', 30)",
  'REFRESH MATERIALIZED VIEW census',
  "INSERT INTO events VALUES (1, 2025, 'a'), (1, 2026, 'b')",
  "INSERT INTO animals VALUES (1, 'cat')",
  "INSERT INTO dogs VALUES (1, 'rex', 'collie')",
  "INSERT INTO secrets VALUES (1, 'somebody', 'x')",
];

let reads: CachedReads;

beforeAll(async () => {
  reads = await CachedReads.start([Furniture], [...SCHEMA, ...CONTENT]);
});

afterAll(() => reads.stop());

/** Rows of a subquery. */
const rowsOf = (sql: string) => (): BoundQuery =>
  defineQuery({
    name: sql,
    shape: 'raw',
    build: (source, _: Record<string, never>) =>
      source.createQueryBuilder().select('*').from(`(${sql})`, 'q') as never,
  }).bind({});

interface Case {
  readonly sql: string;
  readonly rows: unknown;
  /** A write that does not concern the answer. */
  readonly leaves: string;
  /** Writes that end the answer, with the rows then. */
  readonly ends: readonly (readonly [statement: string, rows: unknown])[];
}

const CASES: Record<string, Case> = {
  'a view over a view': {
    sql: 'SELECT * FROM crews ORDER BY country',
    rows: [
      { country: 'FR', crew: 40 },
      { country: 'NZ', crew: 20 },
    ],
    leaves: "UPDATE events SET what = 'c' WHERE id = 1 AND year = 2025",
    ends: [
      [
        'UPDATE ships SET crew = 11 WHERE id = 1',
        [
          { country: 'FR', crew: 41 },
          { country: 'NZ', crew: 20 },
        ],
      ],
      ["UPDATE ports SET country = 'FR' WHERE name = 'Lyttelton'", [{ country: 'FR', crew: 61 }]],
    ],
  },
  'a materialised view': {
    sql: 'SELECT * FROM census',
    rows: [{ ships: 3 }],
    leaves: "INSERT INTO ships VALUES (4, 'Brest', 1)",
    ends: [['REFRESH MATERIALIZED VIEW census', [{ ships: 4 }]]],
  },
  'a partitioned table': {
    sql: 'SELECT id, year, what FROM events WHERE id = 1 AND year = 2026',
    rows: [{ id: 1, year: 2026, what: 'b' }],
    leaves: 'INSERT INTO furniture VALUES (0)',
    ends: [
      ["UPDATE events_26 SET what = 'd' WHERE id = 1", [{ id: 1, year: 2026, what: 'd' }]],
      ['UPDATE events SET what = NULL WHERE year = 2026', [{ id: 1, year: 2026, what: null }]],
    ],
  },
  'a partition': {
    sql: 'SELECT count(*)::integer AS n FROM events_25',
    rows: [{ n: 1 }],
    leaves: 'INSERT INTO furniture VALUES (1)',
    ends: [["INSERT INTO events VALUES (8, 2025, 'y')", [{ n: 2 }]]],
  },
  'a table with children': {
    sql: 'SELECT name FROM animals ORDER BY name',
    rows: [{ name: 'cat' }, { name: 'rex' }],
    leaves: 'INSERT INTO furniture VALUES (2)',
    ends: [["UPDATE dogs SET name = 'ace'", [{ name: 'ace' }, { name: 'cat' }]]],
  },
  'a table without its children': {
    sql: 'SELECT name FROM ONLY animals',
    rows: [{ name: 'cat' }],
    leaves: 'INSERT INTO furniture VALUES (3)',
    ends: [["UPDATE animals SET name = 'tom' WHERE id = 1", [{ name: 'tom' }]]],
  },
  'policies that read another table': {
    sql: 'SELECT body FROM opened',
    rows: [{ body: 'x' }],
    leaves: 'INSERT INTO furniture VALUES (4)',
    ends: [
      ['INSERT INTO clearances VALUES (1)', [{ body: 'x' }]],
      ["UPDATE secrets SET body = 'y'", [{ body: 'y' }]],
    ],
  },
};

describe.each(Object.entries(CASES))('%s', (_name, { sql, rows, leaves, ends }) => {
  const query = rowsOf(sql);

  it('is cached until a write that concerns it', async () => {
    expect(await reads.warm(query)).toEqual(rows);
    await reads.write(leaves);
    await reads.expectHit(query, rows);
    for (const [statement, then] of ends) {
      await reads.warm(query);
      await reads.write(statement);
      await reads.expectAnew(query, then);
    }
  });
});
