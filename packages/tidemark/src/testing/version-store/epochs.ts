import { deepEqual as equal, match } from 'node:assert/strict';
import {
  casesOf,
  LONG_MS,
  POSTS,
  SHORT_MS,
  USERS,
  type VersionStoreCase,
} from './version-store-case.js';

export const EPOCHS: readonly VersionStoreCase[] = [
  ...casesOf('epochs', async () => undefined, {
    'rotate creates the first one, settling, under the current node': async (on) => {
      const { node } = await on.reading(USERS);
      equal(await on.store.rotate(USERS, undefined, 'e1'), true);
      equal((await on.reading(USERS)).epoch, `e1 ${node} settling`);
      equal((await on.reading(POSTS)).epoch, undefined);
    },

    'rotate replaces only the epoch that was observed': async (on) => {
      const first = await on.settledEpoch('e1');
      equal(await on.store.rotate(USERS, undefined, 'e2'), false);
      equal(await on.store.rotate(USERS, 'e0 node', 'e2'), false);
      equal((await on.reading(USERS)).epoch, first);
      equal(await on.store.rotate(USERS, first, 'e3'), true);
      equal(await on.store.rotate(USERS, first, 'e4'), false);
      match(String((await on.reading(USERS)).epoch), /^e3 \S+ settling$/);
    },

    'settleEpoch ends the settling of the observed epoch, once': async (on) => {
      await on.store.rotate(USERS, undefined, 'e1');
      const settling = (await on.reading(USERS)).epoch ?? '';
      equal(await on.store.settleEpoch(USERS, 'e0 x settling'), false);
      equal(await on.store.settleEpoch(USERS, settling), true);
      const { epoch, node } = await on.reading(USERS);
      equal(epoch, `e1 ${node}`);
      equal(await on.store.settleEpoch(USERS, settling), false);
      equal(await on.store.settleEpoch(USERS, epoch ?? ''), false);
      equal((await on.reading(USERS)).epoch, epoch);
    },

    'rotate drops the marks: end, abort, settle and renew find none': async (on) => {
      const first = await on.settledEpoch('e1');
      await on.store.begin(on.write('w1', '*'), 't1', SHORT_MS);
      await on.pass(SHORT_MS);
      await on.store.rotate(USERS, first, 'e2');
      await on.create('t2', '*');
      equal(await on.store.inspect({ table: USERS, names: [] }), {
        expired: [],
        nextExpiryMs: undefined,
      });
      await on.store.end('w1', [USERS], 't3');
      await on.store.abort('w1', [USERS]);
      await on.store.renew(USERS, 'w1', '1', LONG_MS);
      equal(await on.store.settle(USERS, 'w1', 't4'), false);
      equal(await on.versions('*'), ['t2']);
      match(String((await on.reading(USERS)).epoch), /^e2 /);
    },

    'versions of an earlier epoch count as missing, with their marks': async (on) => {
      await on.settledEpoch('e1');
      await on.create('t1', '*', 'id=1', 'id=2');
      await on.store.begin(on.write('w1', '*', 'id=1'), 't2', LONG_MS);
      await on.settledEpoch('e2');
      equal(await on.versions('*', 'id=1', 'id=2'), [undefined, undefined, undefined]);
      await on.store.begin(on.write('w2', 'id=1', 'id=2'), 't3', LONG_MS);
      equal((await on.create('t4', '*', 'id=1')).versions, ['t4', 't4!w2']);
      await on.store.end('w2', [USERS], 't5');
      equal(await on.versions('*', 'id=1', 'id=2'), ['t4', 't5', undefined]);
    },

    'dimensions of an earlier epoch are registered again with their versions': async (on) => {
      await on.settledEpoch('e1');
      await on.create('t1', 'region=US', 'region?');
      await on.settledEpoch('e2');
      await on.create('t2', 'region=US', 'region?');
      await on.store.begin(on.write('w1', '*'), 't3', LONG_MS);
      equal(await on.versions('region=US', 'region?'), ['t2', 't3!w1']);
    },

    'settling an epoch leaves its versions and marks': async (on) => {
      await on.store.rotate(USERS, undefined, 'e1');
      await on.create('t1', '*');
      await on.store.begin(on.write('w1', '*'), 't2', LONG_MS);
      await on.store.settleEpoch(USERS, (await on.reading(USERS)).epoch ?? '');
      const { epoch } = await on.reading(USERS);
      await on.store.inspect({ table: USERS, names: ['*'] });
      const found = await on.reading(USERS, '*');
      equal([found.versions, found.epoch], [['t2!w1'], epoch]);
    },
  }),
];
