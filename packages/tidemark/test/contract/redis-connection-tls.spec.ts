/** Connections over TLS to servers and Sentinels that require a certificate of each client. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { once } from 'node:events';
import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import type { RedisTarget } from '../../src/redis/connection/redis-client.factory.js';
import { Certificates, hasOpenssl, type KeyPair } from '../../../../test/support/certificates.js';
import { eventually } from '../../../../test/support/eventually.js';
import { freePort } from '../../../../test/support/free-port.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { ping } from './redis-connection-tests.js';
import { connect, down, LogBook, up } from './redis-harness.js';

describe.skipIf(!hasOpenssl)('RedisConnection over TLS', () => {
  let certificates: Certificates;
  let ca: string;
  let pair: KeyPair;
  let server: RedisServer;
  let tlsPort: number;
  let log: LogBook;
  let connections: RedisConnection[];

  beforeAll(async () => {
    certificates = await Certificates.create();
    [ca, pair, tlsPort] = await Promise.all([
      certificates.authority(),
      certificates.pair(),
      freePort(),
    ]);
    server = await RedisServer.start({ config: certificates.redisConfig(tlsPort) });
  });

  afterAll(async () => {
    await server.stop();
    await certificates.remove();
  });

  beforeEach(() => {
    log = new LogBook();
    connections = [];
  });

  afterEach(() => Promise.all(connections.map((connection) => connection.close())));

  function open(target: RedisTarget): RedisConnection {
    const connection = connect(target, { log });
    connections.push(connection);
    return connection;
  }

  it.each(['localhost', '127.0.0.1'])(
    'trusts the given authority and shows its certificate, at %s',
    async (host) => {
      const connection = open({ url: `rediss://${host}:${tlsPort}`, tls: { ca, ...pair } });
      await up(connection);
      expect((await ping(connection)).value).toBe('PONG');
      expect(log.lines).toEqual([]);
    },
  );

  it('takes TLS from a client', async () => {
    const options = { host: 'localhost', port: tlsPort, tls: { ca, ...pair }, lazyConnect: true };
    await up(open({ client: new Redis(options) }));
  });

  it.each([
    ['no authority', () => ({ ...pair }), /no authority that this process trusts.*REDIS_TLS_CA/],
    [
      'another authority',
      async () => ({ ca: await certificates.authority('other-ca'), ...pair }),
      /no authority that this process trusts.*`tls\.ca`/,
    ],
    ['no certificate', () => ({ ca }), /requires a certificate.*`tls\.cert`.*REDIS_TLS_KEY/],
    [
      'the certificate of another authority',
      async () => ({ ca, ...(await certificates.pair('foreigner')) }),
      /has refused the certificate of this process.*`tls\.cert`/,
    ],
    [
      'an expired certificate',
      async () => ({ ca, ...(await certificates.pair('expired')) }),
      /has refused the certificate of this process.*`tls\.cert`/,
    ],
    [
      'a server name that the certificate lacks',
      () => ({ ca, ...pair, servername: 'cache.example' }),
      /for other names than its address.*`tls\.servername`/,
    ],
  ])('is down with %s, and the log has the remedy once', async (_what, tlsOf, remedy) => {
    const connection = open({ url: `rediss://localhost:${tlsPort}`, tls: await tlsOf() });
    await down(connection);
    await eventually(() => expect(connection.reason).toMatch(remedy));
    expect(connection.reason).toMatch(/^TLS failed: /);
    expect(log.lines.filter((line) => remedy.test(line))).toHaveLength(1);
  });

  it.each([
    ['is for another name', 'stranger', 'for other names than its address'],
    ['has expired', 'expired', 'has expired; renew it'],
  ])('is down at a server whose certificate %s', async (_what, name, problem) => {
    const port = await freePort();
    const other = await RedisServer.start({ config: certificates.redisConfig(port, name) });
    const connection = open({ url: `rediss://localhost:${port}`, tls: { ca, ...pair } });
    await down(connection);
    expect(connection.reason).toContain(problem);
    await other.stop();
  });

  it('accepts a certificate for the given server name', async () => {
    const port = await freePort();
    const other = await RedisServer.start({ config: certificates.redisConfig(port, 'stranger') });
    const tls = { ca, ...pair, servername: 'cache.example' };
    await up(open({ url: `rediss://localhost:${port}`, tls }));
    await other.stop();
  });

  it('finds the primary by a Sentinel over TLS', async () => {
    const sentinelPort = await freePort();
    const sentinel = await RedisServer.start({
      isSentinel: true,
      config: { ...certificates.redisConfig(sentinelPort), 'tls-replication': 'yes' },
    });
    await sentinel.command('SENTINEL', 'MONITOR', 'one', '127.0.0.1', String(tlsPort), '1');
    const target = { sentinels: [{ host: 'localhost', port: sentinelPort }], name: 'one' };
    const connection = open({ ...target, tls: { ca, ...pair } });
    await up(connection);
    expect((await ping(connection)).value).toBe('PONG');
    const untrusting = open({ ...target, tls: { ...pair } });
    await down(untrusting);
    expect(untrusting.reason).toMatch(/^the sentinels name no primary \(.*REDIS_TLS_CA/);
    await sentinel.stop();
  });

  it.each([
    ['localhost', 'localhost'],
    ['127.0.0.1', undefined],
  ])('sends the server name of rediss://%s: %s', async (host, expected) => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): unknown => warnings.push(message);
    process.on('warning', onWarning);
    const listener = createServer(await certificates.pair('server'));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const greeted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
    const { port } = listener.address() as AddressInfo;
    open({ url: `rediss://${host}:${port}`, tls: { ca } });
    const [socket] = await greeted;
    expect(socket.servername || undefined).toBe(expected);
    socket.destroy();
    listener.close();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
