/** The contracts of the stores over the primary that Sentinels name. */
import { afterAll, beforeAll, describe } from 'vitest';
import { RedisFillLock } from '../../src/redis/redis-fill-lock.js';
import { SentinelCluster } from '../../../../test/support/sentinel-cluster.js';
import { fillLockContract } from './fill-lock.contract.js';
import { connected, freshNamespace, keysIn, pass, versionStore } from './redis-harness.js';
import { versionStoreContract } from './version-store.contract.js';

let sentinels: SentinelCluster;

beforeAll(async () => {
  sentinels = await SentinelCluster.start();
});

afterAll(() => sentinels.stop());

describe('the store of versions behind Sentinels', () => {
  versionStoreContract(async () => {
    const connection = await connected(sentinels.target);
    return {
      store: versionStore(connection, freshNamespace()),
      pass,
      close: () => connection.close(),
    };
  });
});

describe('the locks of fills behind Sentinels', () => {
  fillLockContract(async () => {
    const connection = await connected(sentinels.target);
    return {
      lock: new RedisFillLock(() => connection, keysIn(freshNamespace())),
      pass,
      close: () => connection.close(),
    };
  });
});
