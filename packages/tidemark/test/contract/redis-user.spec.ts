/** The commands and keys that the user of Redis needs, and the detection of a missing one. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

import { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { redisHeartbeat } from '../../src/redis/redis-heartbeat.js';
import { documentedAclRules, PASSWORD, USER } from '../../../../test/support/documented-acl.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { canaryAt, down, keysIn, LogBook, up } from './redis-harness.js';

const rules = documentedAclRules();
const permissions = rules.filter((rule) => rule.startsWith('+'));

describe('the user of Redis', () => {
  let server: RedisServer;
  let admin: Redis;
  let log: LogBook;
  let connections: RedisConnection[];

  beforeAll(async () => {
    server = await RedisServer.start();
    admin = new Redis(server.port);
  });

  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    log = new LogBook();
    connections = [];
    await setUser(USER, ...rules);
  });

  afterEach(() => Promise.all(connections.map((connection) => connection.close())));

  const setUser = (name: string, ...changes: readonly string[]) =>
    admin.call('ACL', 'SETUSER', name, ...changes);

  function connect({ user = USER, database = '', port = server.port } = {}): RedisConnection {
    const connection = RedisConnection.open({
      url: `redis://${user}:${PASSWORD}@127.0.0.1:${port}/${database}`,
      timeoutMs: 10_000,
      heartbeat: redisHeartbeat({
        keys: keysIn('tidemark'),
        canary: canaryAt(keysIn('tidemark')),
        onMemory: () => undefined,
        onQuestion: () => undefined,
      }),
      log,
    });
    connections.push(connection);
    return connection;
  }

  it('has each command that a script or the client runs', async () => {
    const folder = 'packages/tidemark/src/redis';
    const files = await readdir(folder, { recursive: true });
    const sources = await Promise.all(
      files
        .filter((file) => file.endsWith('.ts') && !/^(?:connection|cluster)\//.test(file))
        .map((file) => readFile(join(folder, file), 'utf8')),
    );
    const inScripts = /redis\.p?call\(\s*'(\w+)'/g;
    const byClient = /\b(?:client|redis)\.(?!p?call\b)([a-z]+)(?:Buffer)?\(/g;
    const byName = /\bclient\.call\(\s*'(\w+)'/g;
    const used = sources.flatMap((source) =>
      [inScripts, byClient, byName].flatMap((form) =>
        [...source.matchAll(form)].map(([, name = '']) => name),
      ),
    );
    expect(used.length).toBeGreaterThan(30);
    expect(permissions).toEqual(
      expect.arrayContaining(used.map((command) => `+${command.toLowerCase()}`)),
    );
  });

  it('needs only the documented rules', async () => {
    await up(connect());
    expect(log.lines).toEqual([]);
  });

  /** A user for each command of the line, all at once. */
  const forEachCommand = (work: (command: string, user: string) => Promise<void>) =>
    Promise.all(
      permissions.map(async (permission) => {
        const command = permission.slice(1);
        const user = `without-${command}`;
        await setUser(user, ...rules);
        await work(command, user);
      }),
    );

  function expectNamed({ reason }: RedisConnection, command: string): void {
    expect(reason.toLowerCase()).toMatch(
      new RegExp(
        `\\b${command}\\b.*acl setuser <its user> .*\\+${command}\\b.*docs/operations\\.md`,
      ),
    );
  }

  it('is found to lack any one of its commands when it connects, by name', async () => {
    await forEachCommand(async (command, user) => {
      await setUser(user, `-${command}`);
      const connection = connect({ user });
      await down(connection);
      expectNamed(connection, command);
      await setUser(user, `+${command}`);
      await up(connection);
      expect(connection.outages).toBe(1);
    });
  });

  it('is found to have lost any one of its commands while connected, and stays down', async () => {
    await forEachCommand(async (command, user) => {
      const connection = connect({ user });
      await up(connection);
      await setUser(user, `-${command}`);
      await down(connection);
      for (let looks = 0; looks < 3; looks += 1) {
        await connection
          .sendAfterReconnect('PING', (client) => client.ping())
          .catch(() => undefined);
        expectNamed(connection, command);
      }
      expect(connection.outages).toBe(1);
      await setUser(user, `+${command}`);
      await up(connection);
    });
  });

  it.each([
    ['of another namespace', '~other:*'],
    ['for reading alone', '%R~tidemark:*'],
  ])('is found to have keys %s', async (_, keys) => {
    await setUser(USER, 'resetkeys', keys);
    const connection = connect();
    await down(connection);
    expect(connection.reason).toMatch(/NOPERM.*keys.*docs\/operations\.md/);
  });

  it('is found to lack SELECT where the database is another than 0', async () => {
    const connection = connect({ database: '3' });
    await down(connection);
    expect(connection.reason).toMatch(/NOPERM.*select/);
    await setUser(USER, '+select');
    await up(connection);
    await connection.send('SET', (client) => client.set('tidemark:x', 'y'));
    expect(await admin.exists('tidemark:x')).toBe(0);
  });

  it('is found to ask for a database that does not exist', async () => {
    await setUser(USER, '+select');
    const connection = connect({ database: '99' });
    await down(connection);
    expect(connection.reason).toContain('DB index is out of range');
  });

  it('is found to connect to a server that lacks a command', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-user-'));
    const include = join(folder, 'renamed.conf');
    await writeFile(include, 'rename-command TIME ""\n');
    const other = await RedisServer.start({ config: { include } });
    try {
      const client = new Redis(other.port);
      await client.call('ACL', 'SETUSER', USER, ...rules.filter((rule) => rule !== '+time'));
      client.disconnect();
      const connection = connect({ port: other.port });
      await down(connection);
      expect(connection.reason).toContain('TIME');
    } finally {
      await other.stop();
      await rm(folder, { recursive: true });
    }
  });

  it('leaves only an empty text and its number behind', async () => {
    await admin.flushdb();
    await up(connect());
    const found = await admin.keys('tidemark:db:{i}:*');
    const number = expect.stringMatching(/^tidemark:db:\{i\}:c:[\w-]{16}$/);
    expect(found.toSorted()).toEqual(['tidemark:db:{i}:c', number, 'tidemark:db:{i}:p']);
    expect(await admin.get('tidemark:db:{i}:p')).toBe('');
  });
});
