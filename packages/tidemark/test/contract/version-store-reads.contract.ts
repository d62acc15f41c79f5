import { beforeEach, describe, expect, it } from '@jest/globals';
import { LONG_MS, POSTS, USERS, type PresentStore } from './version-store-tests.js';

/** Readings of versions, and their creation. */
export function readsOfVersionStore(on: PresentStore): void {
  describe('read', () => {
    beforeEach(() => on.giveEpochs());

    it('answers missing epochs and versions as undefined, and the server that answered', async () => {
      const found = await on.reading('public.unread', '*', 'id=1');
      expect(found).toEqual({
        table: 'public.unread',
        node: expect.stringMatching(/^\S+$/),
        epoch: undefined,
        versions: [undefined, undefined],
      });
    });

    it('answers tables and names in the order asked, repeated ones too', async () => {
      await on.store.create({ table: USERS, names: ['*'] }, 'u');
      await on.store.create({ table: POSTS, names: ['*', 'id=1'] }, 'p');
      const found = await on.store.read([
        { table: POSTS, names: ['id=1', 'id=2', '*'] },
        { table: USERS, names: ['*', '*'] },
        { table: POSTS, names: [] },
      ]);
      expect(found.map(({ table, versions: texts }) => [table, texts])).toEqual([
        [POSTS, ['p', undefined, 'p']],
        [USERS, ['u', 'u']],
        [POSTS, []],
      ]);
    });

    it('gives every caller of one turn its own answer', async () => {
      await on.store.create({ table: USERS, names: ['id=1', 'id=2'] }, 't1');
      const [first, second, none] = await Promise.all([
        on.store.read([{ table: USERS, names: ['id=1', 'id=3'] }]),
        on.store.read([{ table: USERS, names: ['id=2'] }]),
        on.store.read([]),
      ]);
      expect(first[0]?.versions).toEqual(['t1', undefined]);
      expect(second[0]?.versions).toEqual(['t1']);
      expect(none).toEqual([]);
    });

    it('starts after the call: it sees a step that finished before', async () => {
      const early = on.store.read([{ table: USERS, names: ['*'] }]);
      await on.store.create({ table: USERS, names: ['*'] }, 't1');
      expect(await on.versions('*')).toEqual(['t1']);
      await early;
    });

    it('keeps names apart whatever characters they have', async () => {
      await on.store.rotate('odd}{.ta%ble', undefined, 'e1');
      const names = ['a%2Cb=x y', 'name=}{:*', 'name=ü😀', 'name=', 'name==h', '*'];
      for (const [index, name] of names.entries()) {
        await on.store.create({ table: 'odd}{.ta%ble', names: [name] }, `t${index}`);
      }
      const found = await on.reading('odd}{.ta%ble', ...names);
      expect(found.versions).toEqual(['t0', 't1', 't2', 't3', 't4', 't5']);
      expect((await on.reading('odd.table', '*')).versions).toEqual([undefined]);
    });

    it('keeps tables apart whatever characters they have', async () => {
      await on.store.rotate('a', undefined, 'e1');
      await on.store.create({ table: 'a', names: ['b}:e', 'b}:v:*'] }, 't1');
      expect(await on.reading('a}:v:b', '*')).toMatchObject({
        epoch: undefined,
        versions: [undefined],
      });
    });
  });

  describe('tables', () => {
    it('names every table that has an epoch in force', async () => {
      expect(await on.store.tables()).toEqual([]);
      await on.store.rotate(POSTS, 'another', 'e1');
      await on.settledEpoch('e2');
      expect(await on.store.tables()).toEqual([USERS]);
    });
  });

  describe('create', () => {
    beforeEach(() => on.giveEpochs());

    it('creates nothing without an epoch', async () => {
      const versions = { table: 'public.unread', names: ['*', 'id=1'] };
      const found = await on.store.create(versions, 't1');
      expect(found).toMatchObject({ epoch: undefined, versions: [undefined, undefined] });
      await on.store.rotate(versions.table, undefined, 'e1');
      expect((await on.reading(versions.table, '*')).versions).toEqual([undefined]);
    });

    it('creates missing versions and returns all that exist afterwards', async () => {
      const epoch = await on.settledEpoch('e1');
      await on.store.create({ table: USERS, names: ['id=1'] }, 't1');
      const found = await on.store.create({ table: USERS, names: ['id=2', 'id=1'] }, 't2');
      expect(found).toEqual({
        table: USERS,
        node: expect.any(String),
        epoch,
        versions: ['t2', 't1'],
      });
    });

    it('keeps the marks of an existing version', async () => {
      await on.create('t0', 'id=1');
      await on.store.begin(on.write('w1', 'id=1'), 't1', LONG_MS);
      const found = await on.store.create({ table: USERS, names: ['id=1'] }, 't2');
      expect(found.versions).toEqual(['t1!w1']);
    });

    it('withholds versions of a dimension that a write under way does not know', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      const kept = await on.store.create({ table: USERS, names: ['*', 'region=US'] }, 't2');
      expect(kept.versions).toEqual(['t1!w1', undefined]);
      await on.store.end('w1', [USERS], 't3');
      const created = await on.store.create({ table: USERS, names: ['*', 'region=US'] }, 't4');
      expect(created.versions).toEqual(['t3', 't4']);
    });

    it('creates versions of a dimension that the write under way covers', async () => {
      await on.store.create({ table: USERS, names: ['region=EU'] }, 't1');
      await on.store.begin(on.write('w1', '*', 'region=EU'), 't2', LONG_MS);
      const created = await on.store.create({ table: USERS, names: ['region=US'] }, 't3');
      expect(created.versions).toEqual(['t3']);
    });

    it('creates versions of values that can be dropped while unchanged', async () => {
      const versions = { table: USERS, names: ['id=1', 'id=2', 'id=3', 'id=4'] };
      await on.store.create(versions, 't1');
      await on.store.begin(on.write('w1', 'id=1'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', 'id=2'), 't2', LONG_MS);
      await on.store.end('w2', [USERS], 't3');
      await on.store.drop({ ...versions, names: ['id=1', 'id=2', 'id=3', 'id=5'] }, 't1');
      expect(await on.versions(...versions.names)).toEqual(['t1!w1', 't3', undefined, 't1']);
    });

    it('creates versions that can be prolonged without changing them', async () => {
      await on.store.create({ table: USERS, names: ['id=1', 'id=2'] }, 't1');
      await on.store.begin(on.write('w1', 'id=2'), 't2', LONG_MS);
      await on.store.prolong({ table: USERS, names: ['id=1', 'id=2', 'id=3'] }, LONG_MS);
      expect(await on.versions('id=1', 'id=2', 'id=3')).toEqual(['t1', 't2!w1', undefined]);
    });
  });
}
