import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import type { RedisVersionStore } from '../../src/redis/redis-version-store.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { connected, freshNamespace, versionStore } from './redis-harness.js';

const TABLE = 'public.users';

describe('RedisVersionStore over restarts', () => {
  let own: RedisServer;
  let connection: RedisConnection;
  let store: RedisVersionStore;
  let namespace: string;

  beforeEach(async () => {
    own = await RedisServer.start();
    connection = await connected(own.url);
    namespace = freshNamespace();
    store = versionStore(connection, namespace);
  });

  afterEach(async () => {
    await connection.close();
    await own.stop();
  });

  async function readingWhenBack() {
    for (;;) {
      try {
        const [reading] = await store.read([{ table: TABLE, names: ['*'] }]);
        if (reading) return reading;
      } catch {
        await delay(10);
      }
    }
  }

  it('shows that a snapshot was restored under another server', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    const before = await store.create({ table: TABLE, names: ['*'] }, 't1');
    await own.save();
    await own.restart();
    const after = await readingWhenBack();
    expect(after.versions).toEqual(['t1']);
    expect(after.epoch).toBe(`e1 ${before.node} settling`);
    expect(after.node).not.toBe(before.node);
    expect(await store.rotate(TABLE, after.epoch, 'e2')).toBe(true);
    expect((await readingWhenBack()).epoch).toBe(`e2 ${after.node} settling`);
  });

  it('shows that all data are gone', async () => {
    await store.rotate(TABLE, undefined, 'e1');
    const before = await store.create({ table: TABLE, names: ['*'] }, 't1');
    await own.save();
    await own.restart({ empty: true });
    const after = await readingWhenBack();
    expect(after).toMatchObject({ epoch: undefined, versions: [undefined] });
    expect(after.node).not.toBe(before.node);
  });

  it('marks a write once when its begin ran and was not answered', async () => {
    const proxy = await TcpProxy.open(own.port);
    const another = await connected(`redis://127.0.0.1:${proxy.port}`);
    try {
      const cut = versionStore(another, namespace);
      await store.rotate(TABLE, undefined, 'e1');
      await store.create({ table: TABLE, names: ['*'] }, 't1');
      const tables = [{ table: TABLE, names: ['*'] }];
      const held = proxy.holdAt('to-client', ':1\r\n');
      const begun = cut.begin({ writeId: 'w1', backendPid: 1, tables }, 't2', 60_000);
      await held.reached();
      expect((await readingWhenBack()).versions).toEqual(['t2!w1']);
      held.drop();
      await begun;
      expect((await readingWhenBack()).versions).toEqual(['t2!w1']);
      await cut.end('w1', [TABLE], 't3');
      expect((await readingWhenBack()).versions).toEqual(['t3']);
    } finally {
      await another.close();
      await proxy.close();
    }
  });

  it("never attributes one server's answer to another server", async () => {
    // Each life of the server holds its own run_id as the version, so that any mix-up shows.
    let lives = 0;
    const seen = new Set<string>();
    let isRunning = true;
    const reader = (async () => {
      while (isRunning) {
        try {
          const [reading] = await store.read([{ table: TABLE, names: ['*'] }]);
          const owner = reading?.versions[0];
          if (owner !== undefined && reading?.node !== undefined) {
            seen.add(owner);
            if (owner !== reading.node) throw new TypeError(`${owner} is not ${reading.node}`);
          }
        } catch (error) {
          if (error instanceof TypeError) throw error;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    while (lives < 3) {
      const { node } = await readingWhenBack();
      await store.rotate(TABLE, undefined, `e${lives}`);
      await store.create({ table: TABLE, names: ['*'] }, node ?? '');
      while (!seen.has(node ?? '')) await delay(1);
      await own.restart({ empty: true });
      lives += 1;
    }
    isRunning = false;
    await reader;
    expect(seen.size).toBe(lives);
  });
});
