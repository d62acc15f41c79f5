import { deepEqual as equal, ok } from 'node:assert/strict';
import {
  casesOf,
  LONG_MS,
  POSTS,
  SHORT_MS,
  USERS,
  type VersionStoreCase,
} from './version-store-case.js';

export const LEASES: readonly VersionStoreCase[] = [
  ...casesOf('marks whose lease has run out', (on) => on.giveEpochs(), {
    'reports nothing where there is no mark': async (on) => {
      const report = await on.store.inspect({ table: USERS, names: ['*'] });
      equal(report, { expired: [], nextExpiryMs: undefined });
    },

    'reports how long the next lease runs': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS * 2);
      const report = await on.store.inspect({ table: USERS, names: ['*'] });
      equal(report.expired, []);
      ok(Number(report.nextExpiryMs) > 0);
      ok(Number(report.nextExpiryMs) <= LONG_MS);
      equal(await on.versions('*'), ['t2!w1!w2']);
    },

    'reports all expired marks of the table, whatever versions were asked for': async (on) => {
      await on.create('t0', 'id=1', 'id=2');
      await on.store.begin(on.write('w1', 'id=1'), 't1', SHORT_MS);
      await on.store.begin(on.write('w2', 'id=2'), 't1', LONG_MS);
      await on.pass(SHORT_MS);
      const report = await on.store.inspect({ table: USERS, names: ['id=7'] });
      equal(report.expired, [{ writeId: 'w1', backendPid: 4711, seenTransactionId: undefined }]);
      ok(Number(report.nextExpiryMs) > 0);
      equal(await on.versions('id=1', 'id=2', 'id=7'), ['t1!w1', 't1!w2', undefined]);
    },

    'lists all marks with the time that their leases still run, and changes nothing': async (
      on,
    ) => {
      await on.create('t0', 'id=1');
      await on.store.begin(on.write('w1', 'id=1'), 't1', SHORT_MS);
      await on.store.begin(on.write('w2', '*'), 't2', LONG_MS);
      await on.pass(SHORT_MS);
      const marks = await on.store.marks(USERS);
      equal(marks.map(({ writeId }) => writeId).toSorted(), ['w1', 'w2']);
      for (const { writeId, backendPid, leaseLeftMs } of marks) {
        equal(backendPid, 4711);
        equal([writeId, leaseLeftMs > 0], [writeId, writeId === 'w2']);
        ok(leaseLeftMs <= LONG_MS);
      }
      equal(await on.store.marks(POSTS), []);
      equal(await on.store.settle(USERS, 'w1', 't3'), true);
      await on.store.end('w2', [USERS], 't4');
      equal(await on.store.marks(USERS), []);
    },

    'settles one: the mark is gone and the versions are new': async (on) => {
      await on.create('t0', '*', 'id=1');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't1', SHORT_MS);
      await on.store.begin(on.write('w2', '*'), 't1', LONG_MS);
      await on.pass(SHORT_MS);
      equal(await on.store.settle(USERS, 'w1', 't2'), true);
      equal(await on.versions('*', 'id=1'), ['t2!w2', 't2']);
      equal(await on.store.settle(USERS, 'w1', 't3'), false);
      equal(await on.versions('*', 'id=1'), ['t2!w2', 't2']);
    },

    'does not settle one whose lease is running': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      equal(await on.store.settle(USERS, 'w1', 't2'), false);
      equal(await on.versions('*'), ['t1!w1']);
    },

    'renews one: it has a lease again and remembers the transaction': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.renew(USERS, 'w1', '987654321012', LONG_MS);
      const report = await on.store.inspect({ table: USERS, names: ['*'] });
      equal(report.expired, []);
      ok(Number(report.nextExpiryMs) > 0);
      equal(await on.store.settle(USERS, 'w1', 't2'), false);
      equal(await on.versions('*'), ['t1!w1']);
    },

    'reports the transaction that was seen at the last renewal': async (on) => {
      await on.create('t0', '*');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.renew(USERS, 'w1', '0123', SHORT_MS);
      await on.pass(SHORT_MS);
      const report = await on.store.inspect({ table: USERS, names: [] });
      equal(report.expired, [{ writeId: 'w1', backendPid: 4711, seenTransactionId: '0123' }]);
      equal(await on.store.settle(USERS, 'w1', 't2'), true);
      equal(await on.versions('*'), ['t2']);
    },

    'renews neither a running lease nor a missing mark': async (on) => {
      await on.store.begin(on.write('w1', '*'), 't1', LONG_MS);
      await on.store.renew(USERS, 'w1', '1', LONG_MS * 100);
      await on.store.renew(USERS, 'w2', '1', LONG_MS);
      const report = await on.store.inspect({ table: USERS, names: [] });
      equal(report.expired, []);
      ok(Number(report.nextExpiryMs) <= LONG_MS);
    },

    'ends and aborts one like any other mark': async (on) => {
      await on.create('t0', '*', 'id=2');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.store.begin(on.write('w2', 'id=2'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.end('w1', [USERS], 't2');
      await on.store.abort('w2', [USERS]);
      equal(await on.versions('*', 'id=2'), ['t2', 't1']);
    },
  }),
];
