import { describe, expect, it } from 'vitest';
import type { WrittenTable } from './write-set.js';
import { TransactionLog } from './transaction-log.js';

const regions = (...values: string[]): WrittenTable => ({
  table: 'public.users',
  dimensions: new Map([['region', new Set(values)]]),
});

function writtenRegions(log: TransactionLog): string[] {
  const written = log.written();
  if (written === 'all-tables') return ['all-tables'];
  const dimension = written.get('public.users')?.dimensions.get('region');
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
