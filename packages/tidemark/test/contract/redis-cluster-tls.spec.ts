/** A Redis Cluster whose nodes require TLS of each other and of clients, with an authority of its own. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionOptions } from 'node:tls';
import { Certificates, hasOpenssl, type KeyPair } from '../../../../test/support/certificates.js';
import { eventually } from '../../../../test/support/eventually.js';
import { freePort } from '../../../../test/support/free-port.js';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { bucketOf, tagOfBucket } from '../../src/redis/cluster/slots.js';
import { RedisKeys } from '../../src/redis/redis-keys.js';
import {
  ClusterInstance,
  connectionsTo,
  errorsOf,
  ofBuckets,
  slotOfTable,
} from './cluster-harness.js';
import { freshNamespace } from './redis-harness.js';

const [TABLE = ''] = ofBuckets;
const SLOT = slotOfTable(TABLE);
const LONG_MS = 600_000;

describe.skipIf(!hasOpenssl)('a cluster over TLS', () => {
  let certificates: Certificates;
  let ca: string;
  let pair: KeyPair;
  let cluster: RedisClusterServers;
  let instance: ClusterInstance | undefined;

  beforeAll(async () => {
    certificates = await Certificates.create();
    [ca, pair] = await Promise.all([certificates.authority(), certificates.pair()]);
    cluster = await RedisClusterServers.start({
      replicas: 0,
      config: async () => ({
        ...certificates.redisConfig(await freePort()),
        'tls-cluster': 'yes',
      }),
    });
  });

  afterEach(async () => {
    await instance?.close();
    instance = undefined;
  });

  afterAll(async () => {
    await cluster.stop();
    await certificates.remove();
  });

  function over(tls: ConnectionOptions, host = 'localhost', namespace = freshNamespace()) {
    const seeds = cluster.servers.map(({ tlsPort: port }) => ({ host, port }));
    const target = { seeds, nodeOptions: { tls } };
    return (instance = new ClusterInstance(cluster, { namespace, target }));
  }

  const setSlot = (server: RedisServer, ...words: string[]) =>
    cluster.command(server, 'CLUSTER', 'SETSLOT', String(SLOT), ...words);

  it.each(['localhost', '127.0.0.1'])(
    'is used with the given authority and certificate, from nodes at %s',
    async (host) => {
      const namespace = freshNamespace();
      const { log, stores } = over({ ca, ...pair }, host, namespace);
      await instance?.isUp();
      expect([stores.degradation(), log.lines]).toEqual([undefined, []]);
      for (const server of cluster.servers) {
        await eventually(async () =>
          expect(await connectionsTo(cluster, server, namespace)).toBe(1),
        );
        const clients = String(await cluster.command(server, 'CLIENT', 'LIST'));
        const [own = ''] = clients.split('\n').filter((line) => line.includes(namespace));
        expect(own).toContain(`laddr=127.0.0.1:${server.tlsPort} `);
      }
    },
  );

  it.each<[string, () => ConnectionOptions, RegExp]>([
    ['no authority', () => pair, /no authority that this process trusts.*REDIS_TLS_CA/],
    ['no certificate', () => ({ ca }), /requires a certificate.*REDIS_TLS_KEY/],
    [
      'a server name that the certificates lack',
      () => ({ ca, ...pair, servername: 'cache.example' }),
      /for other names than its address.*`tls\.servername`/,
    ],
  ])('is away with %s, and the log has the remedy', async (_what, tls, remedy) => {
    const { log, stores } = over(tls());
    await eventually(() => expect(log.lines.join('\n')).toMatch(remedy));
    expect(stores.degradation()).toMatch(/^Redis Cluster is not available/);
  });

  it('is used by its ports of TLS where a slot moves: a write follows an epoch to the other node', async () => {
    const namespace = freshNamespace();
    const { versions } = over({ ca, ...pair }, 'localhost', namespace);
    await instance?.isUp();
    await instance?.settle(TABLE, 'e1');
    const epoch = new RedisKeys(namespace, 'db', tagOfBucket(bucketOf(TABLE))).epoch(TABLE);
    const from = await cluster.primaryOf(SLOT);
    const to = cluster.servers.find((server) => server !== from) as RedisServer;
    const asked = await errorsOf(cluster, from, 'ASK');
    await setSlot(to, 'IMPORTING', await cluster.idOf(from));
    await setSlot(from, 'MIGRATING', await cluster.idOf(to));
    const target = ['127.0.0.1', String(to.tlsPort), epoch, '0', '5000'];
    expect(await cluster.command(from, 'MIGRATE', ...target)).toBe('OK');
    const tables = [{ table: TABLE, names: ['*'] }];
    await versions.begin({ writeId: 'w1', backendPid: 1, tables }, 't1', LONG_MS);
    expect(await errorsOf(cluster, from, 'ASK')).toBeGreaterThan(asked);
    for (const server of [from, to]) {
      const found = await cluster.command(server, 'CLUSTER', 'GETKEYSINSLOT', String(SLOT), '100');
      expect(found).not.toContain(epoch);
    }
    for (const server of [from, to]) await setSlot(server, 'STABLE');
    await instance?.isUp();
  });
});
