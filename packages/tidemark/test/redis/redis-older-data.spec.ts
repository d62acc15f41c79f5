/**
 * Real: PostgreSQL, Redis. Redis goes back to older data under the same `run_id` and over connections that stay open.
 * Answers ended by a write stay ended on every instance, also on one that had no part in the write.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { CacheHealth, defineQuery } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { Customer } from '../fixtures/entities.js';

const names = defineQuery({
  name: 'customers.names',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.region = :region', { region }),
  map: ({ name }) => name,
}).bind({ region: 'US' });

/** Copies all keys to database 1, as they are. */
const COPY_ALL = `
redis.call('SELECT', 1)
redis.call('FLUSHDB')
redis.call('SELECT', 0)
for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end
`;

let databaseUrl: string;
let first: RedisServer;
let second: RedisServer;
let proxy: TcpProxy;
let redis: Redis;
let writer: CachedApplication;
let reader: CachedApplication;
let lost: number;
let replaced: number;
let writes = 0;

beforeAll(async () => {
  databaseUrl = await createDatabase();
  const options = { config: { 'enable-debug-command': 'yes', 'repl-diskless-sync-delay': '0' } };
  [first, second] = await Promise.all([RedisServer.start(options), RedisServer.start(options)]);
});
afterAll(() => Promise.all([first.stop(), second.stop()]));

beforeEach(async () => {
  redis = new Redis(first.port);
  await redis.flushall();
  await second.command('FLUSHALL');
  proxy = await TcpProxy.open(first.port);
  const start = () =>
    CachedApplication.start({
      databaseUrl,
      entities: [Customer],
      synchronize: true,
      cache: { redis: { url: proxy.redisUrl, timeoutMs: 5_000 } },
      // Writes that cannot be published are recorded in the outbox.
      invalidation: { triggers: 'install' },
    });
  writer = await start();
  reader = await start();
  await writer.source.query('TRUNCATE customers');
  await writer.source.getRepository(Customer).insert({ id: 1, name: 'ann', region: 'US' });
  await allHit();
  [lost, replaced] = [0, 0];
  for (const { cache } of [writer, reader]) {
    cache.events.on('dataLost', () => (lost += 1));
    cache.events.on('epochReplaced', () => (replaced += 1));
  }
});

afterEach(async () => {
  await Promise.all([writer.stop(), reader.stop()]);
  await proxy.close();
  redis.disconnect();
});

/** Both instances answer from their cache. */
async function allHit(): Promise<void> {
  for (const app of [writer, reader]) {
    await eventually(async () => {
      expect((await app.observe(() => app.cache.run(names))).outcomes).toEqual(['hit']);
    });
  }
}

async function write(): Promise<string> {
  writes += 1;
  const name = `ann ${writes}`;
  await writer.source.getRepository(Customer).update({ id: 1 }, { name });
  return name;
}

/** The value that a write has made both show. */
async function writeAndWarm(): Promise<string> {
  const name = await write();
  await allHit();
  return name;
}

async function infoOf(field: string): Promise<string | undefined> {
  return new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(await redis.info('everything'))?.[1];
}

/** The first server gets the data of the second, and is a primary again. */
async function replicateBack(): Promise<void> {
  await redis.replicaof('127.0.0.1', second.port);
  await eventually(async () => expect(await infoOf('master_link_status')).toBe('up'));
  await redis.replicaof('NO', 'ONE');
}

/** The second server has what the first has now, and is a primary. */
async function copyToSecond(): Promise<void> {
  await second.command('REPLICAOF', '127.0.0.1', String(first.port));
  await eventually(async () => {
    expect(await infoOf('slave0')).toContain('state=online');
    const offset = await infoOf('master_repl_offset');
    expect(await infoOf('slave0')).toContain(`offset=${offset},`);
  });
  await second.command('REPLICAOF', 'NO', 'ONE');
}

interface Fault {
  readonly fault: string;
  /** Makes it happen around a write; returns the value that the write has stored. */
  readonly run: () => Promise<string>;
}

const faults: readonly Fault[] = [
  {
    fault: 'DEBUG RELOAD of an older dump',
    run: async () => {
      await first.save();
      const name = await writeAndWarm();
      await redis.call('DEBUG', 'RELOAD', 'NOSAVE');
      return name;
    },
  },
  {
    fault: 'SWAPDB with an older copy',
    run: async () => {
      await redis.eval(COPY_ALL, 0);
      const name = await writeAndWarm();
      await redis.call('SWAPDB', '0', '1');
      return name;
    },
  },
  {
    fault: 'SWAPDB with an empty database and back, with a write in between',
    run: async () => {
      await redis.call('SWAPDB', '0', '1');
      const name = await write();
      await redis.call('SWAPDB', '0', '1');
      return name;
    },
  },
  {
    fault: 'SWAPDB with a fresh copy and back, with a write in between',
    run: async () => {
      await redis.eval(COPY_ALL, 0);
      await redis.call('SWAPDB', '0', '1');
      const name = await write();
      await redis.call('SWAPDB', '0', '1');
      return name;
    },
  },
  {
    fault: 'REPLICAOF a lagging replica and back',
    run: async () => {
      await copyToSecond();
      const name = await writeAndWarm();
      await replicateBack();
      return name;
    },
  },
  {
    fault: 'a proxy that switches to a promoted replica and back, with a write in between',
    run: async () => {
      await copyToSecond();
      await proxy.switchTo(second.port);
      const name = await write();
      await proxy.switchTo(first.port);
      return name;
    },
  },
];

describe('Redis with older data under the same run_id', () => {
  it.each(faults)('by $fault brings no old answer back', async ({ run }) => {
    const runId = await infoOf('run_id');
    const name = await run();
    await eventually(async () => {
      expect(await writer.cache.run(names)).toEqual([name]);
      expect(await reader.cache.run(names)).toEqual([name]);
    });
    await allHit();
    expect(await infoOf('run_id')).toBe(runId);
    expect(await writer.cache.run(names)).toEqual([name]);
    expect(await reader.cache.run(names)).toEqual([name]);
    expect(replaced).toBeGreaterThan(0);
  });

  it('is shown by the health of the instance that has detected it', async () => {
    const report = () => writer.get(CacheHealth).check();
    expect(report()).toEqual({ status: 'up' });
    await redis.flushall();
    await eventually(() => expect(lost).toBe(2));
    const detail = expect.stringMatching(/lost data/);
    await eventually(() => expect(report()).toMatchObject({ status: 'degraded', detail }));
    await allHit();
  });
});

describe('the number of a process', () => {
  it('is found missing by the first read after another client has deleted it', async () => {
    expect(await redis.del(...(await redis.keys('*:{i}:c:*')))).toBe(2);
    const { outcomes } = await writer.observe(() => writer.cache.run(names));
    expect(outcomes).not.toContain('hit');
    await allHit();
  });

  it('may be evicted under allkeys-*, which ends nothing', async () => {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const isKnown = () =>
      [writer, reader].every((app) => app.get(CacheHealth).check().status === 'degraded');
    await eventually(() => expect(isKnown()).toBe(true));
    for (let times = 0; times < 3; times += 1) {
      const numbers = await eventually(async () => {
        const found = await redis.keys('*:{i}:c:*');
        expect(found).toHaveLength(2);
        return found;
      });
      await redis.del(...numbers);
      const { outcomes } = await reader.observe(() => reader.cache.run(names));
      expect(outcomes).toEqual(['hit']);
    }
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    expect(lost).toBe(0);
  });

  it('is removed when its process ends, and gets one day to live where that was killed', async () => {
    const numbers = () => redis.keys('*:{i}:c:*');
    const [left = ''] = await numbers();
    // As one that was killed has left it.
    const dead = `${left.slice(0, left.lastIndexOf(':'))}:dead`;
    await redis.set(dead, '7');
    await redis.hset(left.slice(0, left.lastIndexOf(':')), 'dead', '');
    await reader.stop();
    expect((await numbers()).length).toBe(2);
    reader = await CachedApplication.start({
      databaseUrl,
      entities: [Customer],
      cache: { redis: { url: proxy.redisUrl, timeoutMs: 5_000 } },
      invalidation: { triggers: 'install' },
    });
    expect(await redis.pttl(dead)).toBeGreaterThan(0);
    const living = (await numbers()).filter((key) => key !== dead);
    expect(living).toHaveLength(2);
    await eventually(async () => {
      for (const key of living) expect(await redis.pttl(key)).toBe(-1);
    });
  });
});
