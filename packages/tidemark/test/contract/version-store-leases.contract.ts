import { beforeEach, describe, expect, it } from '@jest/globals';
import { LONG_MS, SHORT_MS, USERS, type PresentStore } from './version-store-tests.js';

/** What becomes of marks whose lease has run out. */
export function leasesOfVersionStore(on: PresentStore): void {
  describe('marks whose lease has run out', () => {
    beforeEach(() => on.giveEpochs());

    it('reports nothing where there is no mark', async () => {
      const report = await on.store.inspect({ table: USERS, names: ['*'] });
      expect(report).toEqual({ expired: [], nextExpiryMs: undefined });
    });

    it('reports how long the next lease runs', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS * 2);
      const report = await on.store.inspect({ table: USERS, names: ['*'] });
      expect(report.expired).toEqual([]);
      expect(report.nextExpiryMs).toBeGreaterThan(0);
      expect(report.nextExpiryMs).toBeLessThanOrEqual(LONG_MS);
      expect(await on.versions('*')).toEqual(['t2!w1!w2']);
    });

    it('reports all expired marks of the table, whatever versions were asked for', async () => {
      await on.create('t0', 'id=1', 'id=2');
      await on.store.begin(on.write('w1', 'id=1'), 't1', SHORT_MS);
      await on.store.begin(on.write('w2', 'id=2'), 't1', LONG_MS);
      await on.pass(SHORT_MS);
      const report = await on.store.inspect({ table: USERS, names: ['id=7'] });
      expect(report.expired).toEqual([
        { writeId: 'w1', backendPid: 4711, seenTransactionId: undefined },
      ]);
      expect(report.nextExpiryMs).toBeGreaterThan(0);
      expect(await on.versions('id=1', 'id=2', 'id=7')).toEqual(['t1!w1', 't1!w2', undefined]);
    });

    it('settles one: the mark is gone and the versions are new', async () => {
      await on.create('t0', '*', 'id=1');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't1', SHORT_MS);
      await on.store.begin(on.write('w2', '*'), 't1', LONG_MS);
      await on.pass(SHORT_MS);
      expect(await on.store.settle(USERS, 'w1', 't2')).toBe(true);
      expect(await on.versions('*', 'id=1')).toEqual(['t2!w2', 't2']);
      expect(await on.store.settle(USERS, 'w1', 't3')).toBe(false);
      expect(await on.versions('*', 'id=1')).toEqual(['t2!w2', 't2']);
    });

    it('does not settle one whose lease is running', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      expect(await on.store.settle(USERS, 'w1', 't2')).toBe(false);
      expect(await on.versions('*')).toEqual(['t1!w1']);
    });

    it('renews one: it has a lease again and remembers the transaction', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.renew(USERS, 'w1', '987654321012', LONG_MS);
      const report = await on.store.inspect({ table: USERS, names: ['*'] });
      expect(report.expired).toEqual([]);
      expect(report.nextExpiryMs).toBeGreaterThan(0);
      expect(await on.store.settle(USERS, 'w1', 't2')).toBe(false);
      expect(await on.versions('*')).toEqual(['t1!w1']);
    });

    it('reports the transaction that was seen at the last renewal', async () => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.renew(USERS, 'w1', '0123', SHORT_MS);
      await on.pass(SHORT_MS);
      const report = await on.store.inspect({ table: USERS, names: [] });
      expect(report.expired).toEqual([
        { writeId: 'w1', backendPid: 4711, seenTransactionId: '0123' },
      ]);
      expect(await on.store.settle(USERS, 'w1', 't2')).toBe(true);
      expect(await on.versions('*')).toEqual(['t2']);
    });

    it('renews neither a running lease nor a missing mark', async () => {
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.renew(USERS, 'w1', '1', LONG_MS * 100);
      await on.store.renew(USERS, 'w2', '1', LONG_MS);
      const report = await on.store.inspect({ table: USERS, names: [] });
      expect(report.expired).toEqual([]);
      expect(report.nextExpiryMs).toBeLessThanOrEqual(LONG_MS);
    });

    it('ends and aborts one like any other mark', async () => {
      await on.create('t0', '*', 'id=2');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.store.begin(on.write('w2', 'id=2'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.end('w1', [USERS], 't2');
      await on.store.abort('w2', [USERS]);
      expect(await on.versions('*', 'id=2')).toEqual(['t2', 't1']);
    });
  });
}
