/**
 * A Redis Cluster behind one address, as managed services have it: a name with several addresses, and a proxy that
 * leads each connection to another node. Nodes are asked there, and then reached at the addresses that they give.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import dns from 'node:dns/promises';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisClusterServers } from '../../../../test/support/redis-cluster-servers.js';
import { ClusterInstance, connectionsTo } from './cluster-harness.js';
import { freshNamespace } from './redis-harness.js';

const NAME = 'cache.example';
/** On Linux all of 127.0.0.0/8 are addresses of the machine. */
const HOSTS = ['127.0.0.2', '127.0.0.3'] as const;

let cluster: RedisClusterServers;
let namespace: string;
let instance: ClusterInstance | undefined;
let endpoints: Endpoint[];

beforeAll(async () => {
  cluster = await RedisClusterServers.start({ replicas: 1 });
});

afterAll(() => cluster.stop());

beforeEach(() => {
  namespace = freshNamespace();
  endpoints = [];
});

afterEach(async () => {
  await instance?.close();
  instance = undefined;
  for (const endpoint of endpoints) endpoint.close();
});

/** Passes each connection on to the next of the ports. */
class Endpoint {
  connections = 0;
  open = 0;
  readonly port: number;

  private constructor(
    private readonly listener: Server,
    private readonly ports: readonly number[],
  ) {
    ({ port: this.port } = listener.address() as AddressInfo);
    listener.on('connection', (client) => {
      const server = connect(this.ports[this.connections % this.ports.length] ?? 0, '127.0.0.1');
      this.connections += 1;
      this.open += 1;
      for (const socket of [client, server]) socket.on('error', () => undefined);
      client.pipe(server).pipe(client);
      server.on('close', () => client.destroy());
      client.on('close', () => {
        this.open -= 1;
        server.destroy();
      });
    });
  }

  static async open(ports: readonly number[], host = '127.0.0.1', port = 0): Promise<Endpoint> {
    const listener = createServer().listen(port, host);
    await once(listener, 'listening');
    const endpoint = new Endpoint(listener, ports);
    endpoints.push(endpoint);
    return endpoint;
  }

  close(): void {
    this.listener.close();
  }
}

const at = (host: string, port: number): ClusterInstance =>
  (instance = new ClusterInstance(cluster, { namespace, target: { seeds: [{ host, port }] } }));

/** One connection to each primary, none to a replica, and none by way of the address that was given. */
async function expectPrimariesConnected(): Promise<void> {
  await eventually(() => expect(endpoints.map(({ open }) => open)).toEqual(endpoints.map(() => 0)));
  const primaries = await cluster.primaries();
  for (const server of cluster.servers) {
    const expected = primaries.includes(server) ? 1 : 0;
    await eventually(async () =>
      expect(await connectionsTo(cluster, server, namespace)).toBe(expected),
    );
  }
}

describe('a proxy that leads each connection to another node', () => {
  it('is asked for the nodes whichever answers, and again when all of them were away', async () => {
    const ports = cluster.servers.map(({ port }) => port);
    // A primary first, and a replica first.
    for (const index of [0, 3]) {
      const endpoint = await Endpoint.open([...ports.slice(index), ...ports.slice(0, index)]);
      const { stores, log } = at('127.0.0.1', endpoint.port);
      await instance?.isUp();
      expect(endpoint.connections).toBeGreaterThan(0);
      expect([stores.degradation(), log.lines]).toEqual([undefined, []]);
      await expectPrimariesConnected();
      if (index === 0) await instance?.close();
    }
    const last = endpoints.at(-1) as Endpoint;
    const before = last.connections;
    for (const server of cluster.servers) await server.kill();
    // It leads to no node now.
    await eventually(() => expect(last.connections).toBeGreaterThan(before));
    for (const server of cluster.servers) await server.restart();
    await instance?.isUp();
    await expectPrimariesConnected();
  });
});

describe.skipIf(process.platform !== 'linux')('a name with several addresses', () => {
  const { lookup } = dns;

  beforeAll(() => {
    const addresses = HOSTS.map((address) => ({ address, family: 4 }));
    const found = async (host: string, options: object) =>
      host === NAME ? addresses : lookup(host, options);
    vi.spyOn(dns, 'lookup').mockImplementation(found as typeof lookup);
    syncBuiltinESMExports();
  });

  afterAll(() => {
    vi.mocked(dns.lookup).mockRestore();
    syncBuiltinESMExports();
  });

  /** A node behind each address, at the same port. */
  async function openBoth(): Promise<readonly [Endpoint, Endpoint]> {
    const [one, other] = await cluster.primaries();
    const first = await Endpoint.open([one?.port ?? 0], HOSTS[0]);
    return [first, await Endpoint.open([other?.port ?? 0], HOSTS[1], first.port)];
  }

  it('is asked at all of them', async () => {
    const both = await openBoth();
    await at(NAME, both[0].port).isUp();
    for (const { connections } of both) expect(connections).toBeGreaterThan(0);
    await expectPrimariesConnected();
  });

  it.each([0, 1])('is enough where address %i does not answer', async (dead) => {
    const both = await openBoth();
    both[dead]?.close();
    const { log } = at(NAME, both[0].port);
    await instance?.isUp();
    expect(both[dead]?.connections).toBe(0);
    expect(log.lines).toEqual([]);
    await expectPrimariesConnected();
  });
});
