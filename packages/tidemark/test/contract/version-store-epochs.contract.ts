import { describe, expect, it } from '@jest/globals';
import { LONG_MS, POSTS, SHORT_MS, USERS, type PresentStore } from './version-store-tests.js';

/** What epochs do, and what is left over from earlier ones. */
export function epochsOfVersionStore(on: PresentStore): void {
  describe('epochs', () => {
    it('rotate creates the first one, settling, under the current node', async () => {
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

    it('settleEpoch ends the settling of the observed epoch, once', async () => {
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
      await on.create('t2', '*');
      expect(await on.store.inspect({ table: USERS, names: [] })).toEqual({
        expired: [],
        nextExpiryMs: undefined,
      });
      await on.store.end('w1', [USERS], 't3');
      await on.store.abort('w1', [USERS]);
      await on.store.renew(USERS, 'w1', '1', LONG_MS);
      expect(await on.store.settle(USERS, 'w1', 't4')).toBe(false);
      expect(await on.versions('*')).toEqual(['t2']);
      expect((await on.reading(USERS)).epoch).toMatch(/^e2 /);
    });

    it('versions of an earlier epoch count as missing, with their marks', async () => {
      await on.settledEpoch('e1');
      await on.create('t1', '*', 'id=1', 'id=2');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't2', LONG_MS);
      await on.settledEpoch('e2');
      expect(await on.versions('*', 'id=1', 'id=2')).toEqual([undefined, undefined, undefined]);
      await on.store.begin(on.write('w2', 'id=1', 'id=2'), 't3', LONG_MS);
      expect((await on.create('t4', '*', 'id=1')).versions).toEqual(['t4', 't4!w2']);
      await on.store.end('w2', [USERS], 't5');
      expect(await on.versions('*', 'id=1', 'id=2')).toEqual(['t4', 't5', undefined]);
    });

    it('dimensions of an earlier epoch are registered again with their versions', async () => {
      await on.settledEpoch('e1');
      await on.create('t1', 'region=US', 'region?');
      await on.settledEpoch('e2');
      await on.create('t2', 'region=US', 'region?');
      await on.store.begin(on.write('w1', '*'), 't3', LONG_MS);
      expect(await on.versions('region=US', 'region?')).toEqual(['t2', 't3!w1']);
    });

    it('settling an epoch leaves its versions and marks', async () => {
      await on.store.rotate(USERS, undefined, 'e1');
      await on.create('t1', '*');
      await on.store.begin(on.write('w1', '*'), 't2', LONG_MS);
      await on.store.settleEpoch(USERS, (await on.reading(USERS)).epoch ?? '');
      const { epoch } = await on.reading(USERS);
      await on.store.inspect({ table: USERS, names: ['*'] });
      expect(await on.reading(USERS, '*')).toMatchObject({ versions: ['t2!w1'], epoch });
    });
  });
}
