/** Real: PostgreSQL, Redis. The option `redis` in each of its forms. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, Redis } from 'ioredis';
import type { QueryCacheModuleOptions } from '../../src/index.js';
import { resolveOptions } from '../../src/nestjs/query-cache.options.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StartedApplication } from './started-application.js';

let server: RedisServer;
let databaseUrl: string;
let started: StartedApplication[] = [];
let client: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  databaseUrl = await createDatabase();
  client = new Redis(server.port, { keyPrefix: 'mine:', connectionName: 'mine' });
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
});

afterEach(async () => {
  for (const application of started) await application.stop();
  started = [];
});

async function start(redis: QueryCacheModuleOptions['redis']): Promise<StartedApplication> {
  const source = { synchronize: true };
  const application = await StartedApplication.start({ databaseUrl, source, cache: { redis } });
  started.push(application);
  return application;
}

const names = async (): Promise<string[]> =>
  Array.from(String(await client.client('LIST')).matchAll(/ name=(\S+)/g), ([, name = '']) => name);

describe('the option redis', () => {
  it('takes the value of an environment variable, set or not', async () => {
    const set: string | undefined = server.url;
    expect(await (await start(set)).warm()).toEqual([]);
    const unset = process.env['A_VARIABLE_THAT_IS_NOT_SET'];
    expect(await (await start(unset)).warm()).toEqual([]);
    expect(await names()).toEqual(['mine', 'tidemark:tidemark']);
  });

  it('takes the password that the application gives its client later, at the next connect', async () => {
    const setPassword = (password: string) =>
      client.call('ACL', 'SETUSER', 'app', 'on', 'resetpass', `>${password}`, '~*', '+@all');
    await setPassword('first');
    const given = new Redis(server.url, { username: 'app', password: 'first', lazyConnect: true });
    const application = await start(given);
    expect(await application.warm()).toEqual([]);
    await setPassword('second');
    given.options.password = 'second';
    await client.client('KILL', 'USER', 'app');
    expect(await application.warm()).toEqual([]);
    expect(application.warnings.join()).not.toContain('WRONGPASS');
  });

  it.each([
    ['a client', () => client],
    ['a client with settings', () => ({ client, timeoutMs: 900 })],
  ])('takes %s, which stays as it was and open', async (_form, given) => {
    const options = { ...client.options };
    const one = await start(given());
    const other = await start({ url: server.url });
    expect(await one.warm()).toEqual([]);
    expect((await other.read()).outcome).toBe('hit');
    expect((await names()).toSorted()).toEqual(['mine', 'tidemark:tidemark', 'tidemark:tidemark']);
    await one.stop();
    expect(client.options).toEqual(options);
    expect(client.status).toBe('ready');
    await client.set('a', 'b');
    expect(await client.get('a')).toBe('b');
    started.shift();
  });
});

describe('a client of a cluster', () => {
  it.each([
    [7000, { host: '127.0.0.1', port: 7000 }],
    ['7001', { host: '127.0.0.1', port: 7001 }],
    ['node.example', { host: 'node.example', port: 6379 }],
    ['node.example:7002', { host: 'node.example', port: 7002 }],
    ['redis://u:secret@[2001:db8::1]:7003', { host: '2001:db8::1', port: 7003 }],
    [{ host: 'node.example' }, { host: 'node.example', port: 6379 }],
    [{ port: 7004 }, { host: '127.0.0.1', port: 7004 }],
  ])('gives the node %j, its settings and its map, and stays as it was', (node, seed) => {
    const redisOptions = { password: 'secret' };
    const natMap = { 'a:1': { host: 'b', port: 2 } };
    const cluster = new Cluster([node], { lazyConnect: true, redisOptions, natMap });
    const resolved = { seeds: [seed], nodeOptions: redisOptions, natMap };
    expect(resolveOptions({ redis: cluster }).redis).toEqual({ ...resolved, timeoutMs: 500 });
    expect(resolveOptions({ redis: { client: cluster, timeoutMs: 900 } }).redis).toEqual({
      ...resolved,
      timeoutMs: 900,
    });
    expect(cluster.status).toBe('wait');
  });
});

describe('the module refuses', () => {
  const sentinels = [{ host: 'h' }];
  const credentials = () => ({ password: ':secret' });
  it.each<[string, () => QueryCacheModuleOptions, RegExp]>([
    ['an empty text', () => ({ redis: '' }), /`redis` is an empty text.*leave `redis` out/],
    ['no URL', () => ({ redis: 'localhost:secret' }), /`redis` has another scheme.*redis:\/\//],
    ['another scheme', () => ({ redis: { url: 'http://u:secret@h' } }), /`redis\.url` has another/],
    ['an unset url', () => ({ redis: { url: undefined } }), /`redis\.url` is unset.*redis:\/\//],
    [
      'no Sentinels',
      () => ({ redis: { sentinels: [], name: 'one' } }),
      /`redis\.sentinels` has no addresses.*\[\{ host, port: 26379 \}\].*leave `redis` out/,
    ],
    [
      'Sentinels as one text',
      () => ({ redis: { sentinels: 'h:1' as never, name: 'one' } }),
      /`redis\.sentinels` has no addresses/,
    ],
    [
      'a URL as the host of a Sentinel',
      () => ({ redis: { sentinels: [{ host: 'redis://u:secret@h' }], name: 'one' } }),
      /`redis\.sentinels` has an entry that is no address.*`host` without scheme/,
    ],
    [
      'a Sentinel with another port',
      () => ({ redis: { sentinels: [{ host: 'h', port: 65_536 }], name: 'one' } }),
      /`redis\.sentinels`.*from 1 to 65535/,
    ],
    [
      'Sentinels without a name',
      () => ({ redis: { sentinels, name: '', password: ':secret' } }),
      /`redis\.name` is unset.*mymaster/,
    ],
    [
      'Sentinels beside a URL',
      () => ({ redis: { sentinels, name: 'one', url: 'redis://u:secret@h' } }),
      /`redis` has both `url` and `sentinels`: give one/,
    ],
    [
      'no nodes',
      () => ({ redis: { cluster: [] } }),
      /`redis\.cluster` has no addresses.*\[\{ host, port: 6379 \}\].*leave `redis` out/,
    ],
    [
      'a URL as the host of a node',
      () => ({ redis: { cluster: [{ host: 'redis://u:secret@h' }] } }),
      /`redis\.cluster` has an entry that is no address.*`host` without scheme/,
    ],
    [
      'a node with another port',
      () => ({ redis: { cluster: [{ host: 'h', port: 0 }], password: ':secret' } }),
      /`redis\.cluster`.*from 1 to 65535/,
    ],
    [
      'nodes beside Sentinels',
      () => ({ redis: { cluster: [{ host: 'h' }], sentinels, name: 'one' } }),
      /`redis` has both `sentinels` and `cluster`: give one/,
    ],
    [
      'half a database',
      () => ({ redis: { sentinels, name: 'one', database: 0.5 } }),
      /`redis\.database` cannot be 0\.5/,
    ],
    ['other objects', () => ({ redis: { client: {} as Redis } }), /`redis\.client` is no client/],
    [
      'TLS beside a URL without it',
      () => ({ redis: { url: 'redis://u:secret@h', tls: {} } }),
      /`redis\.tls` is set beside a URL without TLS: begin `redis\.url` with rediss/,
    ],
    [
      'an authority that is no certificate',
      () => ({ redis: { url: 'rediss://h', tls: { ca: '/etc/ca.pem' } } }),
      /`redis\.tls\.ca` is no certificate: give the text of a PEM file/,
    ],
    [
      'a key that is none',
      () => ({ redis: { sentinels, name: 'one', tls: { key: ':secret' } } }),
      /`redis\.tls` cannot be used \(.+\): give the texts of PEM files/,
    ],
    [
      'credentials that are no function',
      () => ({ redis: { url: 'redis://h', credentials: { password: ':secret' } as never } }),
      /`redis\.credentials` is no function: give one that returns \{ username, password \}/,
    ],
    [
      'credentials beside a password in the URL',
      () => ({ redis: { url: 'redis://:secret@h', credentials } }),
      /`redis\.credentials` is set beside a user or a password: remove these/,
    ],
    [
      'credentials beside a password of Sentinels',
      () => ({ redis: { sentinels, name: 'one', password: ':secret', credentials } }),
      /`redis\.credentials` is set beside a user or a password/,
    ],
    [
      'credentials beside a client',
      () => ({ redis: { client, credentials } }),
      /`redis\.client` is set beside `tls` or `credentials`: give the client its own/,
    ],
    [
      'both',
      () => ({ redis: { client, url: 'redis://h' } }),
      /`redis` has both `url` and `client`/,
    ],
    ['no time', () => ({ redis: { url: 'redis://h', timeoutMs: 0 } }), /`redis\.timeoutMs`.*1 or/],
    ['a short secret', () => ({ entrySecret: 'short secret' }), /`entrySecret`.*16.*openssl rand/],
    [
      'another mode',
      () => ({ mode: 'off' as never }),
      /`mode` cannot be off: give serve or shadow/,
    ],
  ])('%s, by option and remedy, without repeating a password', (_what, given, message) => {
    expect(() => resolveOptions(given())).toThrow(message);
    expect(() => resolveOptions(given())).not.toThrow(/secret@|:secret/);
  });

  it('logs no password of a Redis that it cannot reach', async () => {
    const application = await start('redis://user:pa55word@127.0.0.1:1');
    expect(application.warnings.join()).toContain('redis://127.0.0.1:1/0');
    expect(application.warnings.join()).not.toContain('pa55word');
  });
});
