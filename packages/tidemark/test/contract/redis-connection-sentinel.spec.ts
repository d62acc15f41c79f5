import { afterEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { eventually } from '../../../../test/support/eventually.js';
import {
  SentinelCluster,
  type SentinelClusterOptions,
} from '../../../../test/support/sentinel-cluster.js';
import { itWhenLong } from '../../../../test/support/long-tests.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import type { RedisTarget } from '../../src/redis/connection/redis-client.factory.js';
import { ping } from './redis-connection-tests.js';
import { connect, connected, down, LogBook, up } from './redis-harness.js';

/** As docs/operations.md has them. */
const SENTINEL_RULES =
  '+subscribe +sentinel|master +sentinel|get-master-addr-by-name resetchannels &+switch-master &+promoted-slave';

describe('RedisConnection by Sentinels', () => {
  let cluster: SentinelCluster;
  let log: LogBook;
  let connection: RedisConnection;

  afterEach(async () => {
    await connection.close();
    await cluster.stop();
  });

  async function setUp(options: SentinelClusterOptions = {}, target?: RedisTarget) {
    cluster = await SentinelCluster.start(options);
    log = new LogBook();
    connection = await connected(target ?? cluster.target, { log, timeoutMs: 5_000 });
  }

  const runIdOf = (server: RedisServer) => cluster.infoOf(server, 'run_id');

  async function isAt(server: RedisServer): Promise<void> {
    const runId = await runIdOf(server);
    await eventually(() => expect(connection.node).toBe(runId), 60_000);
    expect((await ping(connection)).value).toBe('PONG');
  }

  it('leaves a primary that was replaced and still answers as one', async () => {
    await setUp();
    const [first] = cluster.servers as [RedisServer];
    await isAt(first);
    await cluster.keepPrimary(first);
    await cluster.failOver();
    const second = await cluster.primary();
    expect(second).not.toBe(first);
    await isAt(second);
    expect(await cluster.infoOf(first, 'role')).toBe('master');
    const ports = cluster.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(', ');
    expect(log.lines[0]).toBe(
      `warn Redis at mymaster/0 of the sentinels ${ports} is not available ` +
        '(the sentinels have made another server the primary); the connection is retried until it is',
    );
    expect(log.lines.at(-1)).toMatch(/available again$/);
  });

  itWhenLong(
    'leaves a replaced primary without a Sentinel where its replicas are required',
    async () => {
      await setUp();
      const [first] = cluster.servers as [RedisServer];
      await cluster.command(first, 'CONFIG', 'SET', 'min-replicas-to-write', '1');
      await cluster.keepPrimary(first);
      const alone = await connected(first.url, { log, timeoutMs: 5_000 });
      await cluster.failOver();
      await down(alone);
      expect(alone.reason).toContain('NOREPLICAS');
      expect(await cluster.infoOf(first, 'role')).toBe('master');
      await alone.close();
    },
  );

  it('believes the Sentinel that knows of the latest failover, whatever the order', async () => {
    await setUp();
    await cluster.failOver();
    const second = await cluster.primary();
    const [other, behind] = await Promise.all([
      RedisServer.start(),
      RedisServer.start({ isSentinel: true }),
    ]);
    try {
      const { name, sentinels } = cluster.target;
      await behind.command('SENTINEL', 'MONITOR', name, '127.0.0.1', String(other.port), '1');
      const all = [{ host: '127.0.0.1', port: behind.port }, ...sentinels];
      // The other Sentinels may be too busy to answer in time: then the one that is behind is all there is.
      await eventually(async () => {
        const found = await connected({ name, sentinels: all }, { timeoutMs: 5_000 });
        const { node } = found;
        await found.close();
        expect(node).toBe(await runIdOf(second));
      });
    } finally {
      await Promise.all([behind.stop(), other.stop()]);
    }
  });

  it('signs in to servers and Sentinels, finds the primary after a kill, and leaves nothing open', async () => {
    await setUp({ password: 'right-secret', sentinelPassword: 'other-secret' });
    const [first] = cluster.servers as [RedisServer];
    await isAt(first);
    await first.kill();
    await cluster.hasLeft(first);
    const second = await cluster.primary();
    await isAt(second);
    // One is left that answers.
    const [gone, hanging, left] = cluster.sentinels as [RedisServer, RedisServer, RedisServer];
    await gone.kill();
    hanging.pause();
    connection.distrust('a test');
    await up(connection);
    await isAt(second);
    hanging.resume();

    const wrong = connect(
      { ...cluster.target, sentinelPassword: 'wrong-secret' },
      { log, timeoutMs: 5_000 },
    );
    await down(wrong);
    expect(wrong.reason).toMatch(/^the sentinels name no primary \(.*ECONNREFUSED.*WRONGPASS/);
    await wrong.close();

    const { sentinels, name, password, sentinelPassword } = cluster.target;
    const given = new Redis({
      sentinels,
      name,
      password,
      sentinelPassword,
      role: 'slave',
      lazyConnect: true,
    });
    const duplicate = await connected({ client: given }, { log, timeoutMs: 5_000 });
    expect(duplicate.node).toBe(await runIdOf(second));
    expect(given.status).toBe('wait');
    await duplicate.close();
    expect(log.lines.join('\n')).not.toContain('secret');

    const user = ['app', 'on', '>of-the-user', ...SENTINEL_RULES.split(' ')];
    await left.command('ACL', 'SETUSER', ...user);
    const login = { sentinelUsername: 'app', sentinelPassword: 'of-the-user' };
    const byUser = await connected({ ...cluster.target, sentinels: sentinels.slice(2), ...login });
    expect(byUser.node).toBe(await runIdOf(second));
    await byUser.close();

    await connection.close();
    const client = new Redis(left.port, { password: 'other-secret' });
    await eventually(async () => {
      expect(await client.client('LIST')).not.toMatch(/ sub=[1-9]/);
    });
    client.disconnect();
  });
});
