import { beforeEach, describe, expect, it } from '@jest/globals';
import { LONG_MS, POSTS, SHORT_MS, USERS, type PresentStore } from './version-store-tests.js';

/** What begin, end and abort do. */
export function writesOfVersionStore(on: PresentStore): void {
  describe('begin', () => {
    beforeEach(() => on.giveEpochs());

    it('marks and replaces existing versions, and creates none', async () => {
      await on.create('t1', '*', 'id=2');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't2', LONG_MS);
      expect(await on.versions('*', 'id=1', 'id=2')).toEqual(['t2!w1', undefined, 't1']);
      await on.store.end('w1', [USERS], 't3');
      expect(await on.versions('*', 'id=1', 'id=2')).toEqual(['t3', undefined, 't1']);
    });

    it('marks a missing version as soon as a reader creates it', async () => {
      await on.store.begin(on.write('w1', '*', 'id=1'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', 'id="1"', 'id=1'), 't2', LONG_MS);
      const created = await on.create('t3', '*', 'id=1', 'id="1"', 'id=2');
      // The marks of a version come in any order.
      const versions = created.versions.map((version) => version?.split('!').toSorted().join('!'));
      expect(versions).toEqual(['t3!w1', 't3!w1!w2', 't3!w2', 't3']);
      await on.store.end('w1', [USERS], 't4');
      await on.store.abort('w2', [USERS]);
      expect(await on.versions('*', 'id=1', 'id="1"', 'id=2')).toEqual(['t4', 't4', 't3', 't3']);
    });

    it('adds the mark of a second write to that of the first', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS);
      expect(await on.versions('*')).toEqual(['t2!w1!w2']);
    });

    it('covers every table of the write', async () => {
      const tables = [
        { table: USERS, names: ['*'] },
        { table: POSTS, names: ['*', 'id=9'] },
      ];
      for (const versions of tables) await on.store.create(versions, 't0');
      await on.store.begin({ writeId: 'w1', backendPid: 1, tables }, 't1', LONG_MS);
      expect(await on.versions('*')).toEqual(['t1!w1']);
      expect((await on.reading(POSTS, '*', 'id=9')).versions).toEqual(['t1!w1', 't1!w1']);
      await on.store.end('w1', [USERS, POSTS], 't2');
      expect(await on.versions('*')).toEqual(['t2']);
      expect((await on.reading(POSTS, '*', 'id=9')).versions).toEqual(['t2', 't2']);
    });

    it('includes d? of a dimension that a reader registered and the writer does not name', async () => {
      await on.create('t1', 'region=US', 'region?', 'id=1');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't2', LONG_MS);
      expect(await on.versions('region=US', 'region?', 'id=1', 'id?')).toEqual([
        't1',
        't2!w1',
        't2!w1',
        undefined,
      ]);
      await on.store.end('w1', [USERS], 't3');
      expect(await on.versions('region?', 'id=1')).toEqual(['t3', 't3']);
    });

    it('includes d? of a dimension that only another write has named so far', async () => {
      await on.store.begin(on.write('w1', 'region=US', 'region?'), 't1', LONG_MS);
      await on.store.end('w1', [USERS], 't2');
      await on.store.begin(on.write('w2', '*'), 't3', LONG_MS);
      const created = await on.create('t4', 'region=US', 'region?');
      expect(created.versions).toEqual(['t4', 't4!w2']);
    });

    it('counts both d=v and d? as naming d', async () => {
      await on.create('t1', 'a?', 'b?');
      await on.store.begin(on.write('w1', 'a=1', 'b?'), 't2', LONG_MS);
      expect(await on.versions('a?', 'b?')).toEqual(['t1', 't2!w1']);
    });

    it('removes the added d? when the write is aborted', async () => {
      await on.create('t1', '*', 'region?');
      await on.store.begin(on.write('w1', '*'), 't2', LONG_MS);
      await on.store.abort('w1', [USERS]);
      expect(await on.versions('*', 'region?')).toEqual(['t2', 't2']);
    });

    it('sent again covers the names of both calls, each once', async () => {
      await on.create('t0', 'id=1', 'id=2', 'id=3');
      await on.store.begin(on.write('w1', 'id=1', 'id=2'), 't1', LONG_MS);
      await on.store.begin(on.write('w1', 'id=2', 'id=3'), 't2', LONG_MS);
      expect(await on.versions('id=1', 'id=2', 'id=3')).toEqual(['t2!w1', 't2!w1', 't2!w1']);
      await on.store.end('w1', [USERS], 't3');
      expect(await on.versions('id=1', 'id=2', 'id=3')).toEqual(['t3', 't3', 't3']);
    });

    it('handles some hundred names', async () => {
      const names = Array.from({ length: 500 }, (_, index) => `id=${index}`);
      await on.create('t0', ...names);
      await on.store.begin(on.write('w1', ...names), 't1', LONG_MS);
      expect(new Set(await on.versions(...names))).toEqual(new Set(['t1!w1']));
      await on.store.end('w1', [USERS], 't2');
      expect(new Set(await on.versions(...names))).toEqual(new Set(['t2']));
    });

    it('leaves nothing behind where no answer depends on the table yet', async () => {
      const table = 'public.unread';
      const mark = { writeId: 'w1', backendPid: 1, tables: [{ table, names: ['*', 'id=1'] }] };
      await on.store.begin(mark, 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      const report = await on.store.inspect({ table, names: ['*'] });
      expect(report).toEqual({ expired: [], nextExpiryMs: undefined });
      expect((await on.reading(table, '*', 'id=1')).versions).toEqual([undefined, undefined]);
      await on.store.end('w1', [table], 't2');
      expect((await on.reading(table, '*')).versions).toEqual([undefined]);
    });
  });

  describe('end and abort', () => {
    beforeEach(() => on.giveEpochs());

    it('end replaces the versions of this write and leaves the marks of others', async () => {
      await on.create('t0', '*', 'id=1', 'id=2');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*', 'id=2'), 't2', LONG_MS);
      await on.store.end('w1', [USERS], 't3');
      expect(await on.versions('*', 'id=1', 'id=2')).toEqual(['t3!w2', 't3', 't2!w2']);
    });

    it('end does nothing without the mark', async () => {
      await on.create('t1', '*');
      await on.store.end('w1', [USERS], 't2');
      await on.store.begin(on.write('w2', '*'), 't3', LONG_MS);
      await on.store.end('w2', [USERS], 't4');
      await on.store.end('w2', [USERS], 't5');
      expect(await on.versions('*')).toEqual(['t4']);
    });

    it('end distinguishes write ids with a common prefix', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w11', '*'), 't2', LONG_MS);
      await on.store.end('w1', [USERS], 't3');
      expect(await on.versions('*')).toEqual(['t3!w11']);
    });

    it('abort removes the mark and keeps the token', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS);
      await on.store.abort('w1', [USERS]);
      expect(await on.versions('*')).toEqual(['t2!w2']);
      await on.store.end('w1', [USERS], 't3');
      expect(await on.versions('*')).toEqual(['t2!w2']);
    });
  });
}
