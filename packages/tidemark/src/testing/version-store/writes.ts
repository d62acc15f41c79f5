import { deepEqual as equal } from 'node:assert/strict';
import {
  casesOf,
  LONG_MS,
  POSTS,
  SHORT_MS,
  USERS,
  type VersionStoreCase,
} from './version-store-case.js';

export const WRITES: readonly VersionStoreCase[] = [
  ...casesOf('begin', (on) => on.giveEpochs(), {
    'marks and replaces existing versions, and creates none': async (on) => {
      await on.create('t1', '*', 'id=2');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't2', LONG_MS);
      equal(await on.versions('*', 'id=1', 'id=2'), ['t2!w1', undefined, 't1']);
      await on.store.end('w1', [USERS], 't3');
      equal(await on.versions('*', 'id=1', 'id=2'), ['t3', undefined, 't1']);
    },

    'marks a missing version as soon as a reader creates it': async (on) => {
      await on.store.begin(on.write('w1', '*', 'id=1'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', 'id="1"', 'id=1'), 't2', LONG_MS);
      const created = await on.create('t3', '*', 'id=1', 'id="1"', 'id=2');
      // The marks of a version come in any order.
      const versions = created.versions.map((version) => version?.split('!').toSorted().join('!'));
      equal(versions, ['t3!w1', 't3!w1!w2', 't3!w2', 't3']);
      await on.store.end('w1', [USERS], 't4');
      await on.store.abort('w2', [USERS]);
      equal(await on.versions('*', 'id=1', 'id="1"', 'id=2'), ['t4', 't4', 't3', 't3']);
    },

    'adds the mark of a second write to that of the first': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS);
      equal(await on.versions('*'), ['t2!w1!w2']);
    },

    'covers every table of the write': async (on) => {
      const tables = [
        { table: USERS, names: ['*'] },
        { table: POSTS, names: ['*', 'id=9'] },
      ];
      for (const versions of tables) await on.store.create(versions, 't0');
      await on.store.begin({ writeId: 'w1', backendPid: 1, tables }, 't1', LONG_MS);
      equal(await on.versions('*'), ['t1!w1']);
      equal((await on.reading(POSTS, '*', 'id=9')).versions, ['t1!w1', 't1!w1']);
      await on.store.end('w1', [USERS, POSTS], 't2');
      equal(await on.versions('*'), ['t2']);
      equal((await on.reading(POSTS, '*', 'id=9')).versions, ['t2', 't2']);
    },

    'includes d? of a dimension that a reader registered and the writer does not name': async (
      on,
    ) => {
      await on.create('t1', 'region=US', 'region?', 'id=1');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't2', LONG_MS);
      equal(await on.versions('region=US', 'region?', 'id=1', 'id?'), [
        't1',
        't2!w1',
        't2!w1',
        undefined,
      ]);
      await on.store.end('w1', [USERS], 't3');
      equal(await on.versions('region?', 'id=1'), ['t3', 't3']);
    },

    'includes d? of a dimension that only another write has named so far': async (on) => {
      await on.store.begin(on.write('w1', 'region=US', 'region?'), 't1', LONG_MS);
      await on.store.end('w1', [USERS], 't2');
      await on.store.begin(on.write('w2', '*'), 't3', LONG_MS);
      const created = await on.create('t4', 'region=US', 'region?');
      equal(created.versions, ['t4', 't4!w2']);
    },

    'counts both d=v and d? as naming d': async (on) => {
      await on.create('t1', 'a?', 'b?');
      await on.store.begin(on.write('w1', 'a=1', 'b?'), 't2', LONG_MS);
      equal(await on.versions('a?', 'b?'), ['t1', 't2!w1']);
    },

    'removes the added d? when the write is aborted': async (on) => {
      await on.create('t1', '*', 'region?');
      await on.store.begin(on.write('w1', '*'), 't2', LONG_MS);
      await on.store.abort('w1', [USERS]);
      equal(await on.versions('*', 'region?'), ['t2', 't2']);
    },

    'sent again covers the names of both calls, each once': async (on) => {
      await on.create('t0', 'id=1', 'id=2', 'id=3');
      await on.store.begin(on.write('w1', 'id=1', 'id=2'), 't1', LONG_MS);
      await on.store.begin(on.write('w1', 'id=2', 'id=3'), 't2', LONG_MS);
      equal(await on.versions('id=1', 'id=2', 'id=3'), ['t2!w1', 't2!w1', 't2!w1']);
      await on.store.end('w1', [USERS], 't3');
      equal(await on.versions('id=1', 'id=2', 'id=3'), ['t3', 't3', 't3']);
    },

    'handles some hundred names': async (on) => {
      const names = Array.from({ length: 500 }, (_, index) => `id=${index}`);
      await on.create('t0', ...names);
      await on.store.begin(on.write('w1', ...names), 't1', LONG_MS);
      equal(new Set(await on.versions(...names)), new Set(['t1!w1']));
      await on.store.end('w1', [USERS], 't2');
      equal(new Set(await on.versions(...names)), new Set(['t2']));
    },

    'leaves nothing behind where no answer depends on the table yet': async (on) => {
      const table = 'public.unread';
      const mark = { writeId: 'w1', backendPid: 1, tables: [{ table, names: ['*', 'id=1'] }] };
      await on.store.begin(mark, 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      const report = await on.store.inspect({ table, names: ['*'] });
      equal(report, { expired: [], nextExpiryMs: undefined });
      equal((await on.reading(table, '*', 'id=1')).versions, [undefined, undefined]);
      await on.store.end('w1', [table], 't2');
      equal((await on.reading(table, '*')).versions, [undefined]);
    },
  }),
  ...casesOf('end and abort', (on) => on.giveEpochs(), {
    'end replaces the versions of this write and leaves the marks of others': async (on) => {
      await on.create('t0', '*', 'id=1', 'id=2');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*', 'id=2'), 't2', LONG_MS);
      await on.store.end('w1', [USERS], 't3');
      equal(await on.versions('*', 'id=1', 'id=2'), ['t3!w2', 't3', 't2!w2']);
    },

    'end does nothing without the mark': async (on) => {
      await on.create('t1', '*');
      await on.store.end('w1', [USERS], 't2');
      await on.store.begin(on.write('w2', '*'), 't3', LONG_MS);
      await on.store.end('w2', [USERS], 't4');
      await on.store.end('w2', [USERS], 't5');
      equal(await on.versions('*'), ['t4']);
    },

    'end distinguishes write ids with a common prefix': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w11', '*'), 't2', LONG_MS);
      await on.store.end('w1', [USERS], 't3');
      equal(await on.versions('*'), ['t3!w11']);
    },

    'abort removes the mark and keeps the token': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS);
      await on.store.abort('w1', [USERS]);
      equal(await on.versions('*'), ['t2!w2']);
      await on.store.end('w1', [USERS], 't3');
      equal(await on.versions('*'), ['t2!w2']);
    },
  }),
];
