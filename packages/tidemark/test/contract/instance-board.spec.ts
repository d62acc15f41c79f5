/** The board in memory, and over a real Redis, where another client writes too. */
import { deflateRawSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { MemoryInstanceBoard } from '../../src/core/memory/memory-instance-board.js';
import type { RedisConnection } from '../../src/redis/connection/redis-connection.js';
import { RedisInstanceBoard } from '../../src/redis/redis-instance-board.js';
import { instanceBoardContract } from './instance-board.contract.js';
import { connected, freshNamespace, keysIn } from './redis-harness.js';

const LONG_MS = 600_000;
const FUTURE_MS = Date.now() + LONG_MS;

describe('MemoryInstanceBoard', () => {
  instanceBoardContract(async () => {
    const board = new MemoryInstanceBoard();
    return [board, board];
  });
});

describe('RedisInstanceBoard', () => {
  let server: RedisServer;
  let connection: RedisConnection;
  let admin: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    connection = await connected(server.url);
    admin = new Redis(server.port);
  });

  afterAll(async () => {
    admin.disconnect();
    await connection.close();
    await server.stop();
  });

  const boardIn = (namespace: string, dataSource = 'default') =>
    new RedisInstanceBoard(() => connection, keysIn(namespace), dataSource);

  instanceBoardContract(async () => {
    const namespace = freshNamespace();
    return [boardIn(namespace), boardIn(namespace)];
  });

  it('has the reports and the mode of one data source', async () => {
    const namespace = freshNamespace();
    const board = boardIn(namespace);
    await boardIn(namespace, 'reporting').publish('a', '1', LONG_MS);
    await boardIn(namespace, 'reporting').setMode('shadow');
    expect(await board.read()).toEqual([]);
    expect(await board.publish('b', '2', LONG_MS)).toBeUndefined();
  });

  const compressed = (text: string | Buffer) => deflateRawSync(text).toString('base64');

  it('leaves out what is no report, and removes it', async () => {
    const namespace = freshNamespace();
    const key = keysIn(namespace).board('default');
    const board = boardIn(namespace);
    await board.publish('a', '1', LONG_MS);
    await admin.hset(key, {
      'i:bytes': randomBytes(100),
      'i:text': `${FUTURE_MS} not base64 of anything`,
      'i:bomb': `${FUTURE_MS} ${compressed(Buffer.alloc(64 * 1024 * 1024))}`,
      'i:long': `${FUTURE_MS} ${'A'.repeat(600 * 1024)}`,
      'i:never': `999999999999999999999999 ${compressed('2')}`,
      'i:over': `1 ${compressed('3')}`,
      '': 'x',
    });
    expect(await board.read()).toEqual(['1']);
    const left = await admin.hkeys(key);
    expect(left).toContain('i:a');
    for (const field of ['i:bytes', 'i:long', 'i:never', 'i:over', ''])
      expect(left).not.toContain(field);
  });

  it('answers with at most 200 reports', async () => {
    const namespace = freshNamespace();
    const report = `${FUTURE_MS} ${compressed('1')}`;
    const fields = Array.from({ length: 1_000 }, (_, i) => [`i:${i}`, report]);
    await admin.hset(keysIn(namespace).board('default'), Object.fromEntries(fields));
    expect(await boardIn(namespace).read()).toHaveLength(200);
  });

  it('reads at most 32 MB of reports, each of at most 2 MB', async () => {
    const namespace = freshNamespace();
    const key = keysIn(namespace).board('default');
    const bytes = 1024 * 1024;
    await admin.hset(key, 'i:long', `${FUTURE_MS} ${compressed(' '.repeat(3 * bytes))}`);
    expect(await boardIn(namespace).read()).toEqual([]);
    const report = `${FUTURE_MS} ${compressed(' '.repeat(bytes))}`;
    const fields = Array.from({ length: 100 }, (_, i) => [`i:${i}`, report]);
    await admin.hset(key, Object.fromEntries(fields));
    expect(await boardIn(namespace).read()).toHaveLength(32);
  });

  it('takes the place of a key of another type', async () => {
    const namespace = freshNamespace();
    const board = boardIn(namespace);
    const key = keysIn(namespace).board('default');
    for (const step of [
      () => board.read(),
      () => board.setMode('serve'),
      () => board.remove('a'),
    ]) {
      await admin.set(key, 'text');
      await step();
    }
    await admin.set(key, 'text');
    await board.publish('a', '1', LONG_MS);
    expect(await board.read()).toEqual(['1']);
  });

  it('keeps nothing a day after the last instance', async () => {
    const namespace = freshNamespace();
    const board = boardIn(namespace);
    const day = 24 * 60 * 60 * 1_000;
    const key = keysIn(namespace).board('default');
    for (const step of [() => board.setMode('shadow'), () => board.publish('a', '1', 50)]) {
      await step();
      const leftMs = await admin.pttl(key);
      expect(leftMs).toBeGreaterThan(day - 60_000);
      expect(leftMs).toBeLessThanOrEqual(day);
      await admin.persist(key);
    }
  });

  it('refuses a report that is too long for the others', async () => {
    const board = boardIn(freshNamespace());
    const report = randomBytes(1024 * 1024).toString('base64');
    await expect(board.publish('a', report, LONG_MS)).rejects.toThrow(RangeError);
    expect(await board.read()).toEqual([]);
  });
});
