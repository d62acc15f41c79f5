import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type {
  TableReading,
  VersionStore,
  WriteMark,
} from '../../src/query-cache/core/version-store.js';

/** A store with no data, and power over the clock its leases run on. */
export interface VersionStoreUnderTest {
  readonly store: VersionStore;
  /** Resolves when at least so much time has passed on the store's clock. */
  pass(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

const USERS = 'public.users';
const POSTS = 'public.posts';
const LONG_MS = 600_000;
const SHORT_MS = 30;

/** What every version store has to do, in memory or shared. */
export function versionStoreContract(open: () => Promise<VersionStoreUnderTest>): void {
  let held: VersionStoreUnderTest;
  let store: VersionStore;

  beforeEach(async () => {
    held = await open();
    ({ store } = held);
  });

  afterEach(() => held.close());

  async function reading(table: string, ...names: string[]): Promise<TableReading> {
    const [found] = await store.read([{ table, names }]);
    if (!found) throw new Error('no reading');
    return found;
  }

  async function versions(...names: string[]): Promise<readonly (string | undefined)[]> {
    return (await reading(USERS, ...names)).versions;
  }

  async function settledEpoch(token: string): Promise<string> {
    await store.rotate(USERS, (await reading(USERS)).epoch, token);
    const settling = (await reading(USERS)).epoch ?? '';
    await store.settleEpoch(USERS, settling);
    return (await reading(USERS)).epoch ?? '';
  }

  async function giveEpochs(): Promise<void> {
    await store.rotate(USERS, undefined, 'e0');
    await store.rotate(POSTS, undefined, 'e0');
  }

  const write = (writeId: string, ...names: string[]): WriteMark => ({
    writeId,
    backendPid: 4711,
    tables: [{ table: USERS, names }],
  });

  describe('read', () => {
    it('answers missing epochs and versions as undefined, and the server that answered', async () => {
      const found = await reading(USERS, '*', 'id=1');
      expect(found).toEqual({
        table: USERS,
        node: expect.stringMatching(/^\S+$/),
        epoch: undefined,
        versions: [undefined, undefined],
      });
    });

    it('answers tables and names in the order asked, repeated ones too', async () => {
      await store.create({ table: USERS, names: ['*'] }, 'u');
      await store.create({ table: POSTS, names: ['*', 'id=1'] }, 'p');
      const found = await store.read([
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
      await store.create({ table: USERS, names: ['id=1', 'id=2'] }, 't1');
      const [first, second, none] = await Promise.all([
        store.read([{ table: USERS, names: ['id=1', 'id=3'] }]),
        store.read([{ table: USERS, names: ['id=2'] }]),
        store.read([]),
      ]);
      expect(first[0]?.versions).toEqual(['t1', undefined]);
      expect(second[0]?.versions).toEqual(['t1']);
      expect(none).toEqual([]);
    });

    it('starts after the call: it sees a step that was finished before', async () => {
      const early = store.read([{ table: USERS, names: ['*'] }]);
      await store.create({ table: USERS, names: ['*'] }, 't1');
      expect(await versions('*')).toEqual(['t1']);
      await early;
    });

    it('keeps names apart whatever characters they have', async () => {
      const names = ['a%2Cb=x y', 'name=}{:*', 'name=ü😀', 'name=', 'name==h', '*'];
      for (const [index, name] of names.entries()) {
        await store.create({ table: 'odd}{.ta%ble', names: [name] }, `t${index}`);
      }
      const found = await reading('odd}{.ta%ble', ...names);
      expect(found.versions).toEqual(['t0', 't1', 't2', 't3', 't4', 't5']);
      expect((await reading('odd.table', '*')).versions).toEqual([undefined]);
    });

    it('keeps tables apart whatever characters they have', async () => {
      await store.create({ table: 'a', names: ['b}:e', 'b}:v:*'] }, 't1');
      expect(await reading('a}:v:b', '*')).toMatchObject({
        epoch: undefined,
        versions: [undefined],
      });
    });
  });

  describe('tables', () => {
    it('names every table that was given an epoch', async () => {
      expect(await store.tables()).toEqual([]);
      await store.create({ table: POSTS, names: ['*'] }, 't1');
      await store.rotate(USERS, undefined, 'e1');
      await store.rotate(USERS, 'another', 'e2');
      expect(await store.tables()).toEqual([USERS]);
    });
  });

  describe('create', () => {
    beforeEach(giveEpochs);

    it('creates what is missing and answers what is there afterwards', async () => {
      const epoch = await settledEpoch('e1');
      await store.create({ table: USERS, names: ['id=1'] }, 't1');
      const found = await store.create({ table: USERS, names: ['id=2', 'id=1'] }, 't2');
      expect(found).toEqual({
        table: USERS,
        node: expect.any(String),
        epoch,
        versions: ['t2', 't1'],
      });
    });

    it('keeps the marks of a version that is there', async () => {
      await store.begin(write('w1', 'id=1'), 't1', LONG_MS);
      const found = await store.create({ table: USERS, names: ['id=1'] }, 't2');
      expect(found.versions).toEqual(['t1!w1']);
    });

    it('keeps back versions of a dimension that a write under way does not know', async () => {
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      const kept = await store.create({ table: USERS, names: ['*', 'region=US'] }, 't2');
      expect(kept.versions).toEqual(['t1!w1', undefined]);
      await store.end('w1', [USERS], 't3');
      const created = await store.create({ table: USERS, names: ['*', 'region=US'] }, 't4');
      expect(created.versions).toEqual(['t3', 't4']);
    });

    it('creates versions of a dimension that the write under way covers', async () => {
      await store.create({ table: USERS, names: ['region=EU'] }, 't1');
      await store.begin(write('w1', '*', 'region=EU'), 't2', LONG_MS);
      const created = await store.create({ table: USERS, names: ['region=US'] }, 't3');
      expect(created.versions).toEqual(['t3']);
    });

    it('refuses a token that would change the text of a version', async () => {
      await expect(store.create({ table: USERS, names: ['*'] }, 'a!b')).rejects.toThrow(TypeError);
      await expect(store.create({ table: USERS, names: ['*'] }, '')).rejects.toThrow(TypeError);
    });
  });

  describe('begin', () => {
    beforeEach(giveEpochs);

    it('marks and replaces existing versions, and creates missing ones', async () => {
      await store.create({ table: USERS, names: ['*', 'id=2'] }, 't1');
      await store.begin(write('w1', '*', 'id=1'), 't2', LONG_MS);
      expect(await versions('*', 'id=1', 'id=2')).toEqual(['t2!w1', 't2!w1', 't1']);
    });

    it('adds the mark of a second write to that of the first', async () => {
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      await store.begin(write('w2', '*'), 't2', LONG_MS);
      expect(await versions('*')).toEqual(['t2!w1!w2']);
    });

    it('covers every table of the write', async () => {
      const tables = [
        { table: USERS, names: ['*'] },
        { table: POSTS, names: ['*', 'id=9'] },
      ];
      await store.begin({ writeId: 'w1', backendPid: 1, tables }, 't1', LONG_MS);
      expect(await versions('*')).toEqual(['t1!w1']);
      expect((await reading(POSTS, '*', 'id=9')).versions).toEqual(['t1!w1', 't1!w1']);
      await store.end('w1', [USERS, POSTS], 't2');
      expect(await versions('*')).toEqual(['t2']);
      expect((await reading(POSTS, '*', 'id=9')).versions).toEqual(['t2', 't2']);
    });

    it('includes d? of a dimension that a reader registered and the writer does not name', async () => {
      await store.create({ table: USERS, names: ['region=US', 'region?', 'id=1'] }, 't1');
      await store.begin(write('w1', '*', 'id=1'), 't2', LONG_MS);
      expect(await versions('region=US', 'region?', 'id=1', 'id?')).toEqual([
        't1',
        't2!w1',
        't2!w1',
        undefined,
      ]);
      await store.end('w1', [USERS], 't3');
      expect(await versions('region?', 'id=1')).toEqual(['t3', 't3']);
    });

    it('includes d? of a dimension that only another write has named so far', async () => {
      await store.begin(write('w1', 'region=US', 'region?'), 't1', LONG_MS);
      await store.end('w1', [USERS], 't2');
      await store.begin(write('w2', '*'), 't3', LONG_MS);
      expect(await versions('region=US', 'region?')).toEqual(['t2', 't3!w2']);
    });

    it('takes d=v, d? and d+ for knowledge of d', async () => {
      await store.create({ table: USERS, names: ['a?', 'b?', 'c?'] }, 't1');
      await store.begin(write('w1', 'a=1', 'b?', 'c+'), 't2', LONG_MS);
      expect(await versions('a?', 'b?', 'c?')).toEqual(['t1', 't2!w1', 't1']);
    });

    it('takes d off again when the write is aborted', async () => {
      await store.create({ table: USERS, names: ['region?'] }, 't1');
      await store.begin(write('w1', '*'), 't2', LONG_MS);
      await store.abort('w1', [USERS]);
      expect(await versions('*', 'region?')).toEqual(['t2', 't2']);
    });

    it('sent again covers the names of both calls, each once', async () => {
      await store.begin(write('w1', 'id=1', 'id=2'), 't1', LONG_MS);
      await store.begin(write('w1', 'id=2', 'id=3'), 't2', LONG_MS);
      expect(await versions('id=1', 'id=2', 'id=3')).toEqual(['t2!w1', 't2!w1', 't2!w1']);
      await store.end('w1', [USERS], 't3');
      expect(await versions('id=1', 'id=2', 'id=3')).toEqual(['t3', 't3', 't3']);
    });

    it('manages some hundred names', async () => {
      const names = Array.from({ length: 500 }, (_, index) => `id=${index}`);
      await store.begin(write('w1', ...names), 't1', LONG_MS);
      expect(new Set(await versions(...names))).toEqual(new Set(['t1!w1']));
      await store.end('w1', [USERS], 't2');
      expect(new Set(await versions(...names))).toEqual(new Set(['t2']));
    });

    it('leaves nothing behind where no answer depends on the table yet', async () => {
      const table = 'public.unread';
      const mark = { writeId: 'w1', backendPid: 1, tables: [{ table, names: ['*', 'id=1'] }] };
      await store.begin(mark, 't1', SHORT_MS);
      await held.pass(SHORT_MS);
      const report = await store.inspect({ table, names: ['*'] }, 'x');
      expect(report).toEqual({ expired: [], nextExpiryMs: undefined });
      expect((await reading(table, '*', 'id=1')).versions).toEqual([undefined, undefined]);
      await store.end('w1', [table], 't2');
      expect((await reading(table, '*')).versions).toEqual([undefined]);
    });

    it('refuses a write id that would change the text of a version', async () => {
      await expect(store.begin(write('a b', '*'), 't', LONG_MS)).rejects.toThrow(TypeError);
      expect(await versions('*')).toEqual([undefined]);
    });
  });

  describe('end and abort', () => {
    beforeEach(giveEpochs);

    it('end replaces the versions of this write and leaves the marks of others', async () => {
      await store.begin(write('w1', '*', 'id=1'), 't1', LONG_MS);
      await store.begin(write('w2', '*', 'id=2'), 't2', LONG_MS);
      await store.end('w1', [USERS], 't3');
      expect(await versions('*', 'id=1', 'id=2')).toEqual(['t3!w2', 't3', 't2!w2']);
    });

    it('end does nothing without the mark', async () => {
      await store.create({ table: USERS, names: ['*'] }, 't1');
      await store.end('w1', [USERS], 't2');
      await store.begin(write('w2', '*'), 't3', LONG_MS);
      await store.end('w2', [USERS], 't4');
      await store.end('w2', [USERS], 't5');
      expect(await versions('*')).toEqual(['t4']);
    });

    it('end is not fooled by a write id that starts as another does', async () => {
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      await store.begin(write('w11', '*'), 't2', LONG_MS);
      await store.end('w1', [USERS], 't3');
      expect(await versions('*')).toEqual(['t3!w11']);
    });

    it('abort takes the mark off and keeps the token', async () => {
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      await store.begin(write('w2', '*'), 't2', LONG_MS);
      await store.abort('w1', [USERS]);
      expect(await versions('*')).toEqual(['t2!w2']);
      await store.end('w1', [USERS], 't3');
      expect(await versions('*')).toEqual(['t2!w2']);
    });
  });

  describe('marks whose lease has run out', () => {
    beforeEach(giveEpochs);

    it('reports nothing where there is no mark', async () => {
      const report = await store.inspect({ table: USERS, names: ['*'] }, 'x');
      expect(report).toEqual({ expired: [], nextExpiryMs: undefined });
    });

    it('reports how long the next lease runs', async () => {
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      await store.begin(write('w2', '*'), 't2', LONG_MS * 2);
      const report = await store.inspect({ table: USERS, names: ['*'] }, 'x');
      expect(report.expired).toEqual([]);
      expect(report.nextExpiryMs).toBeGreaterThan(0);
      expect(report.nextExpiryMs).toBeLessThanOrEqual(LONG_MS);
      expect(await versions('*')).toEqual(['t2!w1!w2']);
    });

    it('reports all expired marks of the table, whatever versions were asked for', async () => {
      await store.begin(write('w1', 'id=1'), 't1', SHORT_MS);
      await store.begin(write('w2', 'id=2'), 't1', LONG_MS);
      await held.pass(SHORT_MS);
      const report = await store.inspect({ table: USERS, names: ['id=7'] }, 'x');
      expect(report.expired).toEqual([
        { writeId: 'w1', backendPid: 4711, seenTransactionId: undefined },
      ]);
      expect(report.nextExpiryMs).toBeGreaterThan(0);
      expect(await versions('id=1', 'id=2', 'id=7')).toEqual(['t1!w1', 't1!w2', undefined]);
    });

    it('settles one: the mark is gone and the versions are new', async () => {
      await store.begin(write('w1', '*', 'id=1'), 't1', SHORT_MS);
      await store.begin(write('w2', '*'), 't1', LONG_MS);
      await held.pass(SHORT_MS);
      expect(await store.settle(USERS, 'w1', 't2')).toBe(true);
      expect(await versions('*', 'id=1')).toEqual(['t2!w2', 't2']);
      expect(await store.settle(USERS, 'w1', 't3')).toBe(false);
      expect(await versions('*', 'id=1')).toEqual(['t2!w2', 't2']);
    });

    it('does not settle one whose lease is running', async () => {
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      expect(await store.settle(USERS, 'w1', 't2')).toBe(false);
      expect(await versions('*')).toEqual(['t1!w1']);
    });

    it('renews one: it has a lease again and remembers the transaction', async () => {
      await store.begin(write('w1', '*'), 't1', SHORT_MS);
      await held.pass(SHORT_MS);
      await store.renew(USERS, 'w1', '987654321012', LONG_MS);
      const report = await store.inspect({ table: USERS, names: ['*'] }, 'x');
      expect(report.expired).toEqual([]);
      expect(report.nextExpiryMs).toBeGreaterThan(0);
      expect(await store.settle(USERS, 'w1', 't2')).toBe(false);
      expect(await versions('*')).toEqual(['t1!w1']);
    });

    it('reports the transaction that was seen at the last renewal', async () => {
      await store.begin(write('w1', '*'), 't1', SHORT_MS);
      await held.pass(SHORT_MS);
      await store.renew(USERS, 'w1', '0123', SHORT_MS);
      await held.pass(SHORT_MS);
      const report = await store.inspect({ table: USERS, names: [] }, 'x');
      expect(report.expired).toEqual([
        { writeId: 'w1', backendPid: 4711, seenTransactionId: '0123' },
      ]);
      expect(await store.settle(USERS, 'w1', 't2')).toBe(true);
      expect(await versions('*')).toEqual(['t2']);
    });

    it('does not renew a lease that is running, nor a mark that is gone', async () => {
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      await store.renew(USERS, 'w1', '1', LONG_MS * 100);
      await store.renew(USERS, 'w2', '1', LONG_MS);
      const report = await store.inspect({ table: USERS, names: [] }, 'x');
      expect(report.expired).toEqual([]);
      expect(report.nextExpiryMs).toBeLessThanOrEqual(LONG_MS);
    });

    it('ends and aborts one as any other', async () => {
      await store.begin(write('w1', '*'), 't1', SHORT_MS);
      await store.begin(write('w2', 'id=2'), 't1', SHORT_MS);
      await held.pass(SHORT_MS);
      await store.end('w1', [USERS], 't2');
      await store.abort('w2', [USERS]);
      expect(await versions('*', 'id=2')).toEqual(['t2', 't1']);
    });
  });

  describe('epochs', () => {
    it('rotate makes the first one settling under the present node', async () => {
      const { node } = await reading(USERS);
      expect(await store.rotate(USERS, undefined, 'e1')).toBe(true);
      expect((await reading(USERS)).epoch).toBe(`e1 ${node} settling`);
      expect((await reading(POSTS)).epoch).toBeUndefined();
    });

    it('rotate replaces only the epoch that was observed', async () => {
      const first = await settledEpoch('e1');
      expect(await store.rotate(USERS, undefined, 'e2')).toBe(false);
      expect(await store.rotate(USERS, 'e0 node', 'e2')).toBe(false);
      expect((await reading(USERS)).epoch).toBe(first);
      expect(await store.rotate(USERS, first, 'e3')).toBe(true);
      expect(await store.rotate(USERS, first, 'e4')).toBe(false);
      expect((await reading(USERS)).epoch).toMatch(/^e3 \S+ settling$/);
    });

    it('settleEpoch ends the settling of the epoch observed, once', async () => {
      await store.rotate(USERS, undefined, 'e1');
      const settling = (await reading(USERS)).epoch ?? '';
      expect(await store.settleEpoch(USERS, 'e0 x settling')).toBe(false);
      expect(await store.settleEpoch(USERS, settling)).toBe(true);
      const { epoch, node } = await reading(USERS);
      expect(epoch).toBe(`e1 ${node}`);
      expect(await store.settleEpoch(USERS, settling)).toBe(false);
      expect(await store.settleEpoch(USERS, epoch ?? '')).toBe(false);
      expect((await reading(USERS)).epoch).toBe(epoch);
    });

    it('rotate drops the marks: end, abort, settle and renew find none', async () => {
      const first = await settledEpoch('e1');
      await store.begin(write('w1', '*'), 't1', SHORT_MS);
      await held.pass(SHORT_MS);
      await store.rotate(USERS, first, 'e2');
      const before = await versions('*');
      expect(await store.inspect({ table: USERS, names: [] }, 'x')).toEqual({
        expired: [],
        nextExpiryMs: undefined,
      });
      await store.end('w1', [USERS], 't2');
      await store.abort('w1', [USERS]);
      await store.renew(USERS, 'w1', '1', LONG_MS);
      expect(await store.settle(USERS, 'w1', 't3')).toBe(false);
      expect(await versions('*')).toEqual(before);
    });

    it('rotate leaves the versions as they are', async () => {
      await store.create({ table: USERS, names: ['*'] }, 't1');
      await store.rotate(USERS, undefined, 'e1');
      expect(await versions('*')).toEqual(['t1']);
    });

    it('inspect repairs what is left over from an earlier epoch, without another epoch', async () => {
      await settledEpoch('e1');
      await store.begin(write('w1', '*', 'id=1', 'id=2'), 't1', LONG_MS);
      const epoch = await settledEpoch('e2');
      await store.begin(write('w2', '*'), 't2', LONG_MS);
      const report = await store.inspect({ table: USERS, names: ['*', 'id=1', 'id=9'] }, 't3');
      expect(report.expired).toEqual([]);
      const after = await reading(USERS, '*', 'id=1', 'id=9');
      expect(after.versions).toEqual(['t3!w2', 't3', undefined]);
      expect(after.epoch).toBe(epoch);
      await store.inspect({ table: USERS, names: ['id=2'] }, 't4');
      expect(await versions('id=2')).toEqual(['t4']);
      await store.end('w2', [USERS], 't5');
      expect(await versions('*')).toEqual(['t5']);
    });

    it('inspect takes a lost mark of the present epoch for lost data', async () => {
      const first = await settledEpoch('e1');
      await store.begin(write('w1', '*', 'id=1'), 't1', LONG_MS);
      // Through the port, marks get lost under one epoch only if its token is used twice.
      await store.rotate(USERS, first, 'e1');
      await store.begin(write('w2', '*'), 't2', LONG_MS);
      await store.inspect({ table: USERS, names: ['*'] }, 'x3');
      const { epoch, node, versions: texts } = await reading(USERS, '*');
      expect(epoch).toBe(`x3 ${node} settling`);
      expect(texts).toEqual(['x3!w2']);
      await store.end('w2', [USERS], 't4');
      await store.inspect({ table: USERS, names: ['id=1'] }, 'x5');
      expect(await versions('*', 'id=1')).toEqual(['t4', 'x5']);
      expect((await reading(USERS)).epoch).toBe(epoch);
    });

    it('the settling of an epoch does not make its marks those of another', async () => {
      await store.rotate(USERS, undefined, 'e1');
      await store.begin(write('w1', '*'), 't1', LONG_MS);
      await store.settleEpoch(USERS, (await reading(USERS)).epoch ?? '');
      const { epoch } = await reading(USERS);
      await store.inspect({ table: USERS, names: ['*'] }, 't2');
      expect(await reading(USERS, '*')).toMatchObject({ versions: ['t1!w1'], epoch });
    });
  });
}
