/** User and password from a function. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import type { CredentialsSource } from '../../src/redis/connection/credentials.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { ping } from './redis-connection-tests.js';
import { connect, connected, down, LogBook, up } from './redis-harness.js';

const USER = 'app';

describe('RedisConnection with credentials from a function', () => {
  let server: RedisServer;
  let log: LogBook;
  let connection: RedisConnection;
  let asked: number;
  let given: () => ReturnType<CredentialsSource>;

  beforeAll(async () => {
    server = await RedisServer.start();
  });

  afterAll(() => server.stop());

  beforeEach(async () => {
    log = new LogBook();
    asked = 0;
    await setPassword('first-secret');
    given = () => ({ username: USER, password: 'first-secret' });
  });

  afterEach(() => connection.close());

  const setPassword = (password: string) =>
    server.command('ACL', 'SETUSER', USER, 'on', 'resetpass', `>${password}`, 'allkeys', '+@all');

  const credentials: CredentialsSource = () => {
    asked += 1;
    return given();
  };

  /** By the server since its start, with the one that asks. */
  async function connectionsReceived(): Promise<number> {
    const client = new Redis(server.url, { disableClientInfo: true });
    const info = await client.info('stats');
    client.disconnect();
    return Number(/total_connections_received:(\d+)/.exec(info)?.[1]);
  }

  const target = () => ({ url: server.url, credentials });

  it('asks once for each connect, and signs in with the latest answer', async () => {
    connection = await connected(target(), { log });
    expect(asked).toBe(1);
    const whoAmI = await connection.send('WHOAMI', (client) => client.call('ACL', 'WHOAMI'));
    expect(whoAmI.value).toBe(USER);

    await setPassword('second-secret');
    given = async () => Promise.resolve({ username: USER, password: 'second-secret' });
    // An open connection outlives the password that opened it.
    expect((await ping(connection)).value).toBe('PONG');
    expect([asked, connection.outages]).toEqual([1, 0]);

    await server.command('CLIENT', 'KILL', 'USER', USER);
    await down(connection);
    await up(connection);
    expect((await ping(connection)).value).toBe('PONG');
    expect(connection.outages).toBe(1);
  });

  it('signs in the default user without a name', async () => {
    const other = await RedisServer.start({ config: { requirepass: 'of-default' } });
    given = () => ({ password: 'of-default' });
    connection = await connected({ url: other.url, credentials }, { log });
    await connection.close();
    await other.stop();
  });

  it('signs in to the primary that a Sentinel names', async () => {
    const sentinel = await RedisServer.start({ isSentinel: true });
    await sentinel.command('SENTINEL', 'MONITOR', 'one', '127.0.0.1', String(server.port), '1');
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    connection = await connected({ sentinels, name: 'one', credentials }, { log });
    const whoAmI = await connection.send('WHOAMI', (client) => client.call('ACL', 'WHOAMI'));
    expect(whoAmI.value).toBe(USER);
    await connection.close();
    await sentinel.stop();
  });

  it('asks again while the password is refused, and comes up with a valid one', async () => {
    given = () => ({ username: USER, password: 'old-secret' });
    connection = connect(target(), { log });
    await down(connection);
    expect(connection.reason).toContain('WRONGPASS');
    given = () => ({ username: USER, password: 'first-secret' });
    await up(connection);
    expect(log.lines.join('\n')).not.toContain('secret');
  });

  it.each<[string, () => ReturnType<CredentialsSource>, string]>([
    [
      'throws',
      () => {
        throw Object.assign(new TypeError('my-secret'), { code: 'ENOKEY' });
      },
      'the function has failed with TypeError (ENOKEY), whose message may contain a secret and is not logged',
    ],
    [
      'rejects',
      () => Promise.reject(new SyntaxError('"my-secret" is not valid JSON')),
      'the function has failed with SyntaxError, whose message',
    ],
    [
      'returns no password',
      () => ({ username: 'my-secret', password: '' }),
      'the function has returned no password: return { username, password }',
    ],
    ['returns nothing', () => undefined as never, 'the function has returned no password'],
  ])('is down while the function %s, and says why once', async (_what, answer, why) => {
    given = answer;
    connection = connect(target(), { log });
    await down(connection);
    expect(connection.reason).toContain(`the credentials are missing: ${why}`);
    await eventually(() => expect(asked).toBeGreaterThan(2));
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain(why);
    expect(log.lines[0]).not.toContain('my-secret');
    given = () => ({ username: USER, password: 'first-secret' });
    await up(connection);
  });

  it('is down while the function hangs, and opens nothing after the end of the connection', async () => {
    let answer: () => void = () => undefined;
    given = () =>
      new Promise((resolve) => {
        answer = () => resolve({ username: USER, password: 'first-secret' });
      });
    connection = connect(target(), { log, timeoutMs: 100 });
    await down(connection);
    expect(connection.reason).toMatch(/the function has not answered within \d+ ms/);
    await eventually(() => expect(asked).toBe(2));
    await connection.close();
    const before = await connectionsReceived();
    answer();
    // The one that asks.
    expect(await connectionsReceived()).toBe(before + 1);
    expect(connection.state).toBe('down');
  });
});
