import { describe, expect, it, vi } from 'vitest';
import type { WriteStatement } from './ports/cache-events.js';
import {
  MAX_VALUES,
  mergeWritten,
  TransactionLog,
  versionNamesOf,
  type WrittenTable,
} from './write-set.js';

function written(dimensions: Record<string, readonly string[] | 'unknown'>): WrittenTable {
  const sets = Object.entries(dimensions).map(
    ([name, values]) => [name, values === 'unknown' ? values : new Set(values)] as const,
  );
  return { table: 'public.users', dimensions: new Map(sets) };
}

describe('versionNamesOf', () => {
  it('names the table, every value, and dimensions with unknown values', () => {
    expect(versionNamesOf(written({ id: ['7'], region: 'unknown' }))).toEqual([
      '*',
      'id=7',
      'region?',
    ]);
  });

  it('treats more values than the maximum as unknown', () => {
    const values = Array.from({ length: MAX_VALUES + 1 }, (_, i) => String(i));
    expect(versionNamesOf(written({ id: values }))).toEqual(['*', 'id?']);
    expect(versionNamesOf(written({ id: values.slice(1) }))).toHaveLength(MAX_VALUES + 1);
  });
});

describe('mergeWritten', () => {
  it('contains the values of both write sets', () => {
    const merged = mergeWritten(
      written({ id: ['1'], region: ['US'] }),
      written({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region=US']);
  });

  it('has unknown values for a dimension that one write set lacks', () => {
    const merged = mergeWritten(
      written({ id: ['1'], region: 'unknown' }),
      written({ id: ['2'], region: ['US'] }),
    );
    expect(versionNamesOf(merged)).toEqual(['*', 'id=1', 'id=2', 'region?']);
    expect(
      versionNamesOf(mergeWritten(written({ id: ['1'] }), written({ id: ['2'], region: ['US'] }))),
    ).toEqual(['*', 'id=1', 'id=2', 'region?']);
  });

  it('keeps no values above the maximum', () => {
    const values = Array.from({ length: MAX_VALUES }, (_, i) => String(i));
    const most = mergeWritten(written({ id: values.slice(1) }), written({ id: ['0'] }));
    expect(versionNamesOf(most)).toHaveLength(MAX_VALUES + 1);
    expect(mergeWritten(most, written({ id: ['more'] })).dimensions.get('id')).toBe('unknown');
  });
});

const regions = (...values: string[]): WrittenTable => ({
  table: 'public.users',
  dimensions: new Map([['region', new Set(values)]]),
});

function writtenRegions(log: TransactionLog): string[] {
  const tables = log.written();
  if (tables === 'all-tables') return ['all-tables'];
  const dimension = tables.get('public.users')?.dimensions.get('region');
  return dimension instanceof Set ? [...(dimension as Set<string>)].toSorted() : [];
}

describe('TransactionLog', () => {
  it('merges the writes of several statements', () => {
    const log = new TransactionLog();
    log.add(regions('US'));
    log.add(regions('EU'));
    expect(writtenRegions(log)).toEqual(['EU', 'US']);
  });

  it('drops the writes after a savepoint on ROLLBACK TO, and keeps the savepoint', () => {
    const log = new TransactionLog();
    log.add(regions('US'));
    log.savepoint('a');
    log.add(regions('EU'));
    log.rollbackTo('a');
    expect(writtenRegions(log)).toEqual(['US']);
    log.add(regions('APAC'));
    log.rollbackTo('a');
    expect(writtenRegions(log)).toEqual(['US']);
  });

  it('merges a released savepoint into the outer one, whose rollback undoes both', () => {
    const log = new TransactionLog();
    log.savepoint('outer');
    log.savepoint('inner');
    log.add(regions('EU'));
    log.release('inner');
    expect(writtenRegions(log)).toEqual(['EU']);
    log.rollbackTo('outer');
    expect(writtenRegions(log)).toEqual([]);
  });

  it('also releases and rolls back the savepoints set after the named one', () => {
    const log = new TransactionLog();
    log.savepoint('a');
    log.savepoint('b');
    log.add(regions('EU'));
    log.release('a');
    log.rollbackTo('b'); // gone with a: PostgreSQL refuses it, nothing is given up
    expect(writtenRegions(log)).toEqual(['EU']);
  });

  it('resolves a name used twice to the later savepoint', () => {
    const log = new TransactionLog();
    log.savepoint('a');
    log.add(regions('US'));
    log.savepoint('a');
    log.add(regions('EU'));
    log.rollbackTo('a');
    expect(writtenRegions(log)).toEqual(['US']);
  });

  it('keeps a write to all tables, unless it is rolled back', () => {
    const log = new TransactionLog();
    log.savepoint('a');
    log.add('all-tables');
    expect(writtenRegions(log)).toEqual(['all-tables']);
    log.rollbackTo('a');
    expect(writtenRegions(log)).toEqual([]);
    log.savepoint('b');
    log.add('all-tables');
    log.release('b');
    expect(writtenRegions(log)).toEqual(['all-tables']);
    log.clear();
    expect(writtenRegions(log)).toEqual([]);
  });
});

const statement = (fingerprint: string, sql = fingerprint) => ({
  sql,
  name: vi.fn<() => WriteStatement>(() => ({ title: `UPDATE ${fingerprint}`, fingerprint })),
});

describe('the cause of a transaction', () => {
  const namesOf = (log: TransactionLog): string[] =>
    log.cause(undefined).statements.map(({ fingerprint }) => fingerprint);

  it('has each statement once, in the order of the first execution', () => {
    const log = new TransactionLog();
    for (const name of ['b', 'a', 'b', 'c', 'a']) log.name(statement(name), undefined);
    expect(namesOf(log)).toEqual(['b', 'a', 'c']);
  });

  it('names the statements once, when they are read', () => {
    const log = new TransactionLog();
    const a = statement('a');
    log.name(a, undefined);
    const cause = log.cause(undefined);
    expect(a.name).not.toHaveBeenCalled();
    expect(cause.statements).toEqual([{ title: 'UPDATE a', fingerprint: 'a' }]);
    expect(cause.statements).toBe(cause.statements);
    expect(a.name).toHaveBeenCalledTimes(1);
  });

  it('has texts of one fingerprint once, and of the first 32 texts alone', () => {
    const log = new TransactionLog();
    for (let text = 1; text <= 31; text += 1) log.name(statement('a', `a ${text}`), undefined);
    for (const name of 'bc') log.name(statement(name), undefined);
    expect(namesOf(log)).toEqual(['a', 'b']);
  });

  it('has at most 8 statements', () => {
    const log = new TransactionLog();
    for (const name of 'abcdefg') log.name(statement(name), undefined);
    log.savepoint('s');
    for (const name of 'ghij') log.name(statement(name), undefined);
    expect(namesOf(log)).toEqual([...'abcdefgh']);
    log.release('s');
    expect(namesOf(log)).toEqual([...'abcdefgh']);
  });

  it('lacks the statements that ROLLBACK TO has undone', () => {
    const log = new TransactionLog();
    log.name(statement('a'), undefined);
    log.savepoint('s');
    log.name(statement('b'), undefined);
    log.rollbackTo('s');
    log.name(statement('c'), undefined);
    expect(namesOf(log)).toEqual(['a', 'c']);
  });

  it('has the origin of the first statement that has one, else that of COMMIT', () => {
    const log = new TransactionLog();
    expect(log.cause('commit').origin).toBe('commit');
    log.name(statement('a'), undefined);
    log.name(statement('b'), 'first');
    log.name(statement('c'), 'second');
    expect(log.cause('commit').origin).toBe('first');
  });

  it('ends with the transaction', () => {
    const log = new TransactionLog();
    log.name(statement('a'), 'first');
    log.clear();
    expect(log.cause(undefined)).toEqual({ origin: undefined, statements: [] });
  });
});
