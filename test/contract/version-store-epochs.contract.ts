import { describe, expect, it } from '@jest/globals';
import { LONG_MS, POSTS, SHORT_MS, USERS, type PresentStore } from './version-store-tests.js';

/** What epochs do, and what is left over from earlier ones. */
export function epochsOfVersionStore(on: PresentStore): void {
  describe('epochs', () => {
    it('rotate makes the first one settling under the present node', async () => {
      const { node } = await on.reading(USERS);
      expect(await on.store.rotate(USERS, undefined, 'e1')).toBe(true);
      expect((await on.reading(USERS)).epoch).toBe(`e1 ${node} settling`);
      expect((await on.reading(POSTS)).epoch).toBeUndefined();
    });

    it('rotate replaces only the epoch that was observed', async () => {
      const first = await on.settledEpoch('e1');
      expect(await on.store.rotate(USERS, undefined, 'e2')).toBe(false);
      expect(await on.store.rotate(USERS, 'e0 node', 'e2')).toBe(false);
      expect((await on.reading(USERS)).epoch).toBe(first);
      expect(await on.store.rotate(USERS, first, 'e3')).toBe(true);
      expect(await on.store.rotate(USERS, first, 'e4')).toBe(false);
      expect((await on.reading(USERS)).epoch).toMatch(/^e3 \S+ settling$/);
    });

    it('settleEpoch ends the settling of the epoch observed, once', async () => {
      await on.store.rotate(USERS, undefined, 'e1');
      const settling = (await on.reading(USERS)).epoch ?? '';
      expect(await on.store.settleEpoch(USERS, 'e0 x settling')).toBe(false);
      expect(await on.store.settleEpoch(USERS, settling)).toBe(true);
      const { epoch, node } = await on.reading(USERS);
      expect(epoch).toBe(`e1 ${node}`);
      expect(await on.store.settleEpoch(USERS, settling)).toBe(false);
      expect(await on.store.settleEpoch(USERS, epoch ?? '')).toBe(false);
      expect((await on.reading(USERS)).epoch).toBe(epoch);
    });

    it('rotate drops the marks: end, abort, settle and renew find none', async () => {
      const first = await on.settledEpoch('e1');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.rotate(USERS, first, 'e2');
      const before = await on.versions('*');
      expect(await on.store.inspect({ table: USERS, names: [] }, 'x')).toEqual({
        expired: [],
        nextExpiryMs: undefined,
      });
      await on.store.end('w1', [USERS], 't2');
      await on.store.abort('w1', [USERS]);
      await on.store.renew(USERS, 'w1', '1', LONG_MS);
      expect(await on.store.settle(USERS, 'w1', 't3')).toBe(false);
      expect(await on.versions('*')).toEqual(before);
    });

    it('rotate leaves the versions as they are', async () => {
      await on.store.create({ table: USERS, names: ['*'] }, 't1');
      await on.store.rotate(USERS, undefined, 'e1');
      expect(await on.versions('*')).toEqual(['t1']);
    });

    it('inspect repairs what is left over from an earlier epoch, without another epoch', async () => {
      await on.settledEpoch('e1');
      await on.store.begin(on.write('w1', '*', 'id=1', 'id=2'), 't1', LONG_MS);
      const epoch = await on.settledEpoch('e2');
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS);
      const report = await on.store.inspect({ table: USERS, names: ['*', 'id=1', 'id=9'] }, 't3');
      expect(report.expired).toEqual([]);
      const after = await on.reading(USERS, '*', 'id=1', 'id=9');
      expect(after.versions).toEqual(['t3!w2', 't3', undefined]);
      expect(after.epoch).toBe(epoch);
      await on.store.inspect({ table: USERS, names: ['id=2'] }, 't4');
      expect(await on.versions('id=2')).toEqual(['t4']);
      await on.store.end('w2', [USERS], 't5');
      expect(await on.versions('*')).toEqual(['t5']);
    });

    it('inspect takes a lost mark of the present epoch for lost data', async () => {
      const first = await on.settledEpoch('e1');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't1', LONG_MS);
      // Through the port, marks get lost under one epoch only if its token is used twice.
      await on.store.rotate(USERS, first, 'e1');
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS);
      await on.store.inspect({ table: USERS, names: ['*'] }, 'x3');
      const { epoch, node, versions: texts } = await on.reading(USERS, '*');
      expect(epoch).toBe(`x3 ${node} settling`);
      expect(texts).toEqual(['x3!w2']);
      await on.store.end('w2', [USERS], 't4');
      await on.store.inspect({ table: USERS, names: ['id=1'] }, 'x5');
      expect(await on.versions('*', 'id=1')).toEqual(['t4', 'x5']);
      expect((await on.reading(USERS)).epoch).toBe(epoch);
    });

    it('the settling of an epoch does not make its marks those of another', async () => {
      await on.store.rotate(USERS, undefined, 'e1');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.settleEpoch(USERS, (await on.reading(USERS)).epoch ?? '');
      const { epoch } = await on.reading(USERS);
      await on.store.inspect({ table: USERS, names: ['*'] }, 't2');
      expect(await on.reading(USERS, '*')).toMatchObject({ versions: ['t1!w1'], epoch });
    });
  });
}
