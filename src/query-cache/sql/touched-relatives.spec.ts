import { beforeAll, describe, expect, it } from '@jest/globals';
import { writeCatalogue, writesOf } from '../../../test/support/analysed-writes.js';
import { versionNamesOf } from '../core/touched-regions.js';
import { loadParser } from './syntax-tree.js';
import { tablesTouchedBy, type WriteOutcome } from './touched.js';

beforeAll(loadParser);

/** The versions of each table that the statement replaces. */
function replacedBy(sql: string, outcome: Partial<WriteOutcome> = {}): Record<string, string> {
  const all: Record<string, string> = {};
  for (const write of writesOf(sql)) {
    const known = { rowCount: 1, rows: [], ...outcome };
    for (const touched of tablesTouchedBy(write, [], known, writeCatalogue) ?? []) {
      all[touched.table.replace('public.', '')] = versionNamesOf(touched).join(' ');
    }
  }
  return all;
}

describe('tables beside the one that is written', () => {
  it('has the same values in a relative, and none that are known where it has another region', () => {
    expect(replacedBy("DELETE FROM logs WHERE id = 1 AND region = 'US'")).toEqual({
      logs: '* id=1 region=US',
      logs_1: '* id=1 username? region=US',
    });
  });

  it('tells a relative of rows inserted under keys that are not known', () => {
    expect(replacedBy("INSERT INTO logs (region) VALUES ('US')")).toEqual({
      logs: '* region=US id+',
      logs_1: '* username? region=US id+',
    });
  });

  it('are touched in any row by a cascade, and only if the statement touched one', () => {
    expect(replacedBy('DELETE FROM parent WHERE id = 1')).toEqual({
      parent: '* id=1 region?',
      users: '* id? region?',
    });
    expect(replacedBy('DELETE FROM parent WHERE id = 1', { rowCount: 0 })).toEqual({});
  });

  it('are taken to be touched where nothing counts the rows', () => {
    expect(replacedBy('TRUNCATE plain', { rowCount: undefined })).toEqual({ plain: '* id?' });
  });
});
