/**
 * Real: PostgreSQL, Redis, and two instances over them, for one test after another: an instance publishes every three
 * seconds. What their reports say is what the test did.
 */
import { deflateRawSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveRequest } from '../../src/observe/report.js';
import { textOf } from '../../src/observe/report-text.js';
import { requestsOf, sumOutcomes, sumQueries, sumWrites } from '../../src/observe/sums.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import type { CachedApplication } from '../support/cached-application.js';
import { StatementCounter } from '../support/statement-counter.js';
import { VersionStore } from '../../src/core/ports/version-store.js';
import { LIMIT_MS, ReportingApps, type ReportCheck } from './reporting-apps.js';

let redis: RedisServer;
let admin: Redis;
let apps: ReportingApps;
let one: CachedApplication;
let other: CachedApplication;

beforeAll(async () => {
  redis = await RedisServer.start();
  admin = new Redis(redis.port);
  admin.on('error', () => undefined);
  apps = await ReportingApps.open({ redis: redis.url });
  [one, other] = await apps.startTwo();
});

afterAll(async () => {
  await apps.close();
  admin.disconnect();
  await redis.stop();
});

const reports = (app: CachedApplication) => apps.reportsOf(app);
const bothSee = (check: ReportCheck) =>
  Promise.all([apps.seenBy(one, check), apps.seenBy(other, check)]);

/** The keys of the namespace that end so. */
const keysLike = (end: string) => admin.keys(`tidemark:*${end}`);

async function board(): Promise<string> {
  const [key = ''] = await keysLike(':{i}:r:default');
  return key;
}

async function expectPublished(): Promise<void> {
  const key = await board();
  const before = await admin.hgetall(key);
  await eventually(async () => {
    for (const app of [one, other]) {
      const field = `i:${(await reports(app).own()).id}`;
      expect(await admin.hget(key, field)).not.toBe(before[field]);
    }
  }, LIMIT_MS);
}

describe('the reports of two instances', () => {
  it('are not made before a module starts them', async () => {
    for (const app of [one, other]) expect(app.cache.events.listenerCount('hit')).toBe(0);
    expect(await keysLike(':{i}:r:default')).toEqual([]);
    await Promise.all([reports(one).start(), reports(other).start()]);
    expect(await admin.hlen(await board())).toBe(2);
  });

  it('sum up to what both were asked, and name the write of one as the cause of a miss on the other', async () => {
    const live: LiveRequest[] = [];
    const end = reports(other).onRequest((request) => live.push(request));
    for (let turn = 0; turn < 7; turn += 1) await apps.run(one);
    for (let turn = 0; turn < 5; turn += 1) await apps.run(other);
    await apps.rename(one, 'Eve');
    // Until the write has ended, reads bypass the cache.
    let bypassed = -1;
    await eventually(async () => {
      bypassed += 1;
      expect((await other.observe(() => apps.run(other))).outcomes).toEqual(['miss']);
    });
    await apps.run(one);
    await apps.run(other);
    end();
    const seen = await bothSee((all) => {
      expect(requestsOf(sumOutcomes(all))).toBe(15 + bypassed);
      const misses = all.flatMap(({ misses: found }) => found);
      expect(misses.map(({ endedBy }) => endedBy?.statements)).toMatchObject([
        [{ title: 'UPDATE public.customers' }],
      ]);
    });
    for (const all of seen) {
      expect(sumOutcomes(all)).toEqual({
        ...{ l1: 13, l2: 1, stored: 1, bypassed, notStored: 0, joined: 0, failed: 0 },
      });
      const [query] = sumQueries(all);
      expect([query?.query, query?.outcomes]).toEqual(['customers.names', sumOutcomes(all)]);
      expect(query?.hitMs.reduce((sum, count) => sum + count, 0)).toBe(14);
      expect(sumWrites(all)).toMatchObject([
        { source: 'service', statement: { title: 'UPDATE public.customers' }, writes: 1 },
      ]);
      const [miss] = all.flatMap(({ misses }) => misses);
      expect(miss).toMatchObject({ query: 'customers.names', cause: 'outdated' });
      expect(all[0]?.memory.l1Entries).toBe(1);
      expect(all[0]?.doubt.triggers).toEqual([{ table: 'public.customers', state: 'installed' }]);
      expect(JSON.stringify(all)).not.toMatch(/=US|Eve|Ada/);
    }
    expect(live.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(5).fill('hit'),
      ...Array<string>(bypassed).fill('bypass'),
      ...['miss', 'hit'],
    ]);
  });

  it('show a mark with its holder', async () => {
    expect((await reports(one).own()).doubt.marks).toEqual([]);
    const store = one.get(VersionStore);
    const table = 'public.customers';
    const mark = { writeId: 'w1', backendPid: 4711, tables: [{ table, names: ['*'] }] };
    await store.begin(mark, 'token', 600_000);
    await apps.seenBy(one, ([own]) =>
      expect(own?.doubt.marks).toMatchObject([{ table, writeId: 'w1', backendPid: 4711 }]),
    );
    await store.abort('w1', [table]);
  });

  it('leave out what another client has put on the board, and an instance that publishes no more', async () => {
    const own = await reports(one).own();
    const left = (value: unknown, ttlMs: number) =>
      `${Date.now() + ttlMs} ${deflateRawSync(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')}`;
    await admin.hset(await board(), {
      'i:killed': left(textOf({ ...own, id: 'killed' }), 4_000),
      'i:empty': left({}, 600_000),
      'i:part': left({ ...own, id: 'part', queries: [{ query: 'q' }] }, 600_000),
      'i:source': left(textOf({ ...own, id: 'source', dataSource: 'other' }), 600_000),
      mode: 'off',
    });
    await apps.seenBy(one, (all) => expect(all.map(({ id }) => id)).toContain('killed'));
    await apps.seenBy(one, (all) => {
      expect(all).toHaveLength(2);
      expect(all.map(({ id }) => id)).not.toContain('killed');
    });
    await expectPublished();
    expect([reports(one).mode, reports(other).mode]).toEqual(['serve', 'serve']);
  });
});

describe('the mode of all instances', () => {
  it('is followed by the other instance, and by one that starts later, until it is set back', async () => {
    await reports(one).setMode('shadow');
    await eventually(() => expect(reports(other).mode).toBe('shadow'), LIMIT_MS);
    const late = await apps.start();
    await reports(late).start();
    expect(reports(late).mode).toBe('shadow');
    const sql = StatementCounter.attach(other.source);
    const selects = async (): Promise<number> => {
      sql.reset();
      await apps.run(other);
      return sql.statements.filter((text) => /^\s*select .*customers/i.test(text)).length;
    };
    try {
      expect(await selects()).toBe(1);
      await reports(late).setMode('serve');
      await eventually(() => {
        expect([reports(one).mode, reports(other).mode]).toEqual(['serve', 'serve']);
      }, LIMIT_MS);
      expect(await selects()).toBe(0);
    } finally {
      sql.detach();
    }
    // The closed one takes its report away.
    const field = `i:${(await reports(late).own()).id}`;
    expect(await admin.hexists(await board(), field)).toBe(1);
    await apps.stop(late);
    expect(await admin.hexists(await board(), field)).toBe(0);
  });

  it('cannot be set while Redis is away, when the reports are of this instance alone, and is kept', async () => {
    await reports(one).setMode('shadow');
    await eventually(() => expect(reports(other).mode).toBe('shadow'), LIMIT_MS);
    await redis.kill();
    await expect(reports(one).setMode('serve')).rejects.toThrow(/Redis/);
    await apps.seenBy(one, (all) => {
      expect(all).toHaveLength(1);
      expect(all[0]?.health.status).toBe('degraded');
      expect(all[0]?.doubt.problems.join()).toMatch(/Redis is not available/);
    });
    await redis.restart({ empty: true });
    await apps.seenBy(one, (all) => expect(all).toHaveLength(2));
    expect([reports(one).mode, reports(other).mode]).toEqual(['shadow', 'shadow']);
    expect(await admin.hget(await board(), 'mode')).toBe('shadow');
  });
});
