import { beforeAll, describe, expect, it } from 'vitest';
import type { EntityMetadata, ObjectLiteral } from 'typeorm';
import { readAnalyser, readCatalog } from '../../../test/support/analysed-reads.js';
import { dependenciesOf } from '../../postgres/analysis/read-set-of-plan.js';
import { FillAudit } from './fill-audit.js';
import { loadParser } from '../../postgres/analysis/syntax-tree.js';

beforeAll(loadParser);

const USER = {
  schema: undefined,
  tableName: 'users',
  columns: [{ databaseName: 'id', getEntityValue: (row: ObjectLiteral): unknown => row['id'] }],
} as unknown as EntityMetadata;

const SESSION = { context: [], configuredMs: 0 };

/** The reason not to store an answer of the query whose fill also sends this statement. */
function whyUncacheable(
  query: string,
  sent: string,
  parameters: unknown[] = [],
): string | undefined {
  const analysis = readAnalyser.read(query);
  if (!analysis.cacheable) throw new Error(analysis.detail);
  const dependencies = dependenciesOf(analysis, [], readCatalog);
  const read = (sql: string): ReturnType<typeof readAnalyser.read> => readAnalyser.read(sql);
  const audit = new FillAudit({
    read,
    catalog: readCatalog,
    dependencies,
    entity: USER,
    session: SESSION,
  });
  return audit.whyUncacheable([{ sql: sent, parameters }], [{ id: 1 }, { id: 2 }])?.reason;
}

const US = "SELECT * FROM users WHERE region = 'US'";

describe('an answer may be stored if a further statement reads', () => {
  it.each([
    ['the whole table', 'SELECT * FROM orders', 'SELECT * FROM orders WHERE total > 1', []],
    ['the same region', US, `${US} AND score > 1`, []],
    [
      'one of the keys of the query',
      'SELECT * FROM users WHERE id IN (1, 2)',
      'SELECT 1 FROM users WHERE id = $1',
      [2],
    ],
    ['rows of the answer', US, 'SELECT 1 FROM users WHERE id IN ($1, $2)', [2, '1']],
    ['no table', US, 'SELECT 1', []],
  ])('%s', (_what, query, sent, parameters) => {
    expect(whyUncacheable(query, sent, parameters)).toBeUndefined();
  });
});

describe('an answer is refused if a further statement reads', () => {
  it.each([
    ['another table', US, 'SELECT * FROM orders', []],
    ['another region', US, "SELECT * FROM users WHERE region = 'EU'", []],
    ['the whole table', US, 'SELECT * FROM users', []],
    ['a row outside the answer', US, 'SELECT 1 FROM users WHERE id IN ($1, $2)', [1, 3]],
    ['a key without a text form', US, 'SELECT 1 FROM users WHERE id = $1', [{}]],
    ['rows of a table of the same name', US, 'SELECT 1 FROM other.users WHERE id = 1', []],
    ['a region instead of the key of the query', 'SELECT * FROM users WHERE id = 1', US, []],
  ])('%s', (_what, query, sent, parameters) => {
    expect(whyUncacheable(query, sent, parameters)).toBe('separate-statements');
  });

  it('statements that are uncacheable themselves: with their reason', () => {
    expect(whyUncacheable(US, 'SELECT random()')).toBe('volatile-function');
    expect(whyUncacheable(US, 'SELECT 1 FROM users FOR UPDATE')).toBe('locking-read');
  });
});
