import { deepEqual as equal, match } from 'node:assert/strict';
import type { TableReading } from '../../core/ports/version-store.js';
import { casesOf, LONG_MS, POSTS, USERS, type VersionStoreCase } from './version-store-case.js';

export const READS: readonly VersionStoreCase[] = [
  ...casesOf('read', (on) => on.giveEpochs(), {
    'answers missing epochs and versions as undefined, and the server that answered': async (
      on,
    ) => {
      const found = await on.reading('public.unread', '*', 'id=1');
      equal(found, {
        table: 'public.unread',
        node: nodeOf(found),
        epoch: undefined,
        versions: [undefined, undefined],
      });
    },

    'answers tables and names in the order asked, repeated ones too': async (on) => {
      await on.store.create({ table: USERS, names: ['*'] }, 'u');
      await on.store.create({ table: POSTS, names: ['*', 'id=1'] }, 'p');
      const found = await on.store.read([
        { table: POSTS, names: ['id=1', 'id=2', '*'] },
        { table: USERS, names: ['*', '*'] },
        { table: POSTS, names: [] },
      ]);
      equal(
        found.map(({ table, versions: texts }) => [table, texts]),
        [
          [POSTS, ['p', undefined, 'p']],
          [USERS, ['u', 'u']],
          [POSTS, []],
        ],
      );
    },

    'gives every caller of one turn its own answer': async (on) => {
      await on.store.create({ table: USERS, names: ['id=1', 'id=2'] }, 't1');
      const [first, second, none] = await Promise.all([
        on.store.read([{ table: USERS, names: ['id=1', 'id=3'] }]),
        on.store.read([{ table: USERS, names: ['id=2'] }]),
        on.store.read([]),
      ]);
      equal(first[0]?.versions, ['t1', undefined]);
      equal(second[0]?.versions, ['t1']);
      equal(none, []);
    },

    'starts after the call: it sees a step that finished before': async (on) => {
      const early = on.store.read([{ table: USERS, names: ['*'] }]);
      await on.store.create({ table: USERS, names: ['*'] }, 't1');
      equal(await on.versions('*'), ['t1']);
      await early;
    },

    'keeps names apart whatever characters they have': async (on) => {
      await on.store.rotate('odd}{.ta%ble', undefined, 'e1');
      const names = ['a%2Cb=x y', 'name=}{:*', 'name=ü😀', 'name=', 'name==h', '*'];
      for (const [index, name] of names.entries()) {
        await on.store.create({ table: 'odd}{.ta%ble', names: [name] }, `t${index}`);
      }
      const found = await on.reading('odd}{.ta%ble', ...names);
      equal(found.versions, ['t0', 't1', 't2', 't3', 't4', 't5']);
      equal((await on.reading('odd.table', '*')).versions, [undefined]);
    },

    'keeps tables apart whatever characters they have': async (on) => {
      await on.store.rotate('a', undefined, 'e1');
      await on.store.create({ table: 'a', names: ['b}:e', 'b}:v:*'] }, 't1');
      const { epoch, versions } = await on.reading('a}:v:b', '*');
      equal({ epoch, versions }, { epoch: undefined, versions: [undefined] });
    },
  }),
  ...casesOf('tables', async () => undefined, {
    'names every table that has an epoch in force': async (on) => {
      equal(await on.store.tables(), []);
      await on.store.rotate(POSTS, 'another', 'e1');
      await on.settledEpoch('e2');
      equal(await on.store.tables(), [USERS]);
    },
  }),
  ...casesOf('create', (on) => on.giveEpochs(), {
    'creates nothing without an epoch': async (on) => {
      const versions = { table: 'public.unread', names: ['*', 'id=1'] };
      const found = await on.store.create(versions, 't1');
      equal([found.epoch, found.versions], [undefined, [undefined, undefined]]);
      await on.store.rotate(versions.table, undefined, 'e1');
      equal((await on.reading(versions.table, '*')).versions, [undefined]);
    },

    'creates missing versions and returns all that exist afterwards': async (on) => {
      const epoch = await on.settledEpoch('e1');
      await on.store.create({ table: USERS, names: ['id=1'] }, 't1');
      const found = await on.store.create({ table: USERS, names: ['id=2', 'id=1'] }, 't2');
      equal(found, {
        table: USERS,
        node: nodeOf(found),
        epoch,
        versions: ['t2', 't1'],
      });
    },

    'keeps the marks of an existing version': async (on) => {
      await on.create('t0', 'id=1');
      await on.store.begin(on.write('w1', 'id=1'), 't1', LONG_MS);
      const found = await on.store.create({ table: USERS, names: ['id=1'] }, 't2');
      equal(found.versions, ['t1!w1']);
    },

    'withholds versions of a dimension that a write under way does not know': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      const kept = await on.store.create({ table: USERS, names: ['*', 'region=US'] }, 't2');
      equal(kept.versions, ['t1!w1', undefined]);
      await on.store.end('w1', [USERS], 't3');
      const created = await on.store.create({ table: USERS, names: ['*', 'region=US'] }, 't4');
      equal(created.versions, ['t3', 't4']);
    },

    'creates versions of a dimension that the write under way covers': async (on) => {
      await on.store.create({ table: USERS, names: ['region=EU'] }, 't1');
      await on.store.begin(on.write('w1', '*', 'region=EU'), 't2', LONG_MS);
      const created = await on.store.create({ table: USERS, names: ['region=US'] }, 't3');
      equal(created.versions, ['t3']);
    },

    'creates versions of values that can be dropped while unchanged': async (on) => {
      const versions = { table: USERS, names: ['id=1', 'id=2', 'id=3', 'id=4'] };
      await on.store.create(versions, 't1');
      await on.store.begin(on.write('w1', 'id=1'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', 'id=2'), 't2', LONG_MS);
      await on.store.end('w2', [USERS], 't3');
      await on.store.drop({ ...versions, names: ['id=1', 'id=2', 'id=3', 'id=5'] }, 't1');
      equal(await on.versions(...versions.names), ['t1!w1', 't3', undefined, 't1']);
    },

    'creates versions that can be prolonged without changing them': async (on) => {
      await on.store.create({ table: USERS, names: ['id=1', 'id=2'] }, 't1');
      await on.store.begin(on.write('w1', 'id=2'), 't2', LONG_MS);
      await on.store.prolong({ table: USERS, names: ['id=1', 'id=2', 'id=3'] }, LONG_MS);
      equal(await on.versions('id=1', 'id=2', 'id=3'), ['t1', 't2!w1', undefined]);
    },
  }),
];

/** The store names the server that answered, without spaces. */
function nodeOf({ node }: TableReading): string {
  match(node ?? '', /^\S+$/);
  return node ?? '';
}
