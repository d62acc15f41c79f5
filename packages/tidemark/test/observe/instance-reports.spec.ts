/**
 * Real: PostgreSQL, Redis, and two instances over them. What their reports say is what the test did.
 */
import { deflateRawSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineQuery, QueryCache } from '../../src/index.js';
import { InstanceReports } from '../../src/nestjs/instance-reports.js';
import type { InstanceReport, LiveRequest } from '../../src/observe/report.js';
import { requestsOf, sumOutcomes, sumQueries } from '../../src/observe/sums.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Customer } from '../fixtures/entities.js';
import { CachedApplication } from '../support/cached-application.js';
import { StatementCounter } from '../support/statement-counter.js';

/** Instances publish every three seconds. */
const LIMIT_MS = 40_000;

const names = defineQuery({
  name: 'customers.names',
  build: (source, { region }: { region: string }) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .where('c.region = :region', { region })
      .orderBy('c.id'),
  map: ({ name }) => name,
});

let redis: RedisServer;
let admin: Redis;
let databaseUrl: string;
let apps: CachedApplication[];

beforeAll(async () => {
  redis = await RedisServer.start();
  admin = new Redis(redis.port);
});

afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});

beforeEach(async () => {
  databaseUrl = await createDatabase();
  apps = [];
});

afterEach(async () => {
  for (const app of apps) await app.stop();
});

async function startApp(): Promise<CachedApplication> {
  const app = await CachedApplication.start({
    databaseUrl,
    entities: [Customer],
    synchronize: true,
    cache: { redis: redis.url, mode: 'serve' },
    invalidation: { triggers: 'install' },
  });
  apps.push(app);
  return app;
}

const reportsOf = (app: CachedApplication) => app.get(InstanceReports);

/** Two instances that report, and a customer in the region US. */
async function startTwo(): Promise<readonly [CachedApplication, CachedApplication]> {
  const one = await startApp();
  const other = await startApp();
  await one.source.getRepository(Customer).insert({ id: 1, name: 'Ada', region: 'US' });
  // Until the answers are cached: before that, epochs settle.
  for (const app of [one, other]) {
    await eventually(async () => {
      expect((await app.observe(() => run(app))).outcomes).toEqual(['hit']);
    });
  }
  for (const app of [one, other]) await reportsOf(app).start();
  return [one, other];
}

const run = (app: CachedApplication) => app.get(QueryCache).run(names.bind({ region: 'US' }));
const rename = (app: CachedApplication, name: string) =>
  app.source.getRepository(Customer).update({ id: 1 }, { name });

/** The reports of both instances, as soon as they are as expected. */
function seenBy(
  app: CachedApplication,
  check: (reports: readonly InstanceReport[]) => void,
): Promise<readonly InstanceReport[]> {
  return eventually(async () => {
    const reports = await reportsOf(app).all();
    check(reports);
    return reports;
  }, LIMIT_MS);
}

async function boardKey(): Promise<string> {
  const found = await admin.keys('tidemark:*:{i}:r');
  const key = found.at(-1);
  if (found.length !== 1 || key === undefined) throw new Error(`Boards: ${found.join(', ')}`);
  return key;
}

describe('the reports of two instances', () => {
  beforeEach(() => admin.flushall());

  it('sum up to what was asked of both, seen from either', async () => {
    const [one, other] = await startTwo();
    const live: LiveRequest[] = [];
    const end = reportsOf(one).onRequest((request) => live.push(request));
    for (let turn = 0; turn < 7; turn += 1) await run(one);
    for (let turn = 0; turn < 5; turn += 1) await run(other);
    await rename(one, 'Eve');
    // The end of the write is not awaited: until then reads bypass the cache.
    let bypassed = 0;
    await eventually(async () => {
      const { outcomes } = await one.observe(() => run(one));
      if (outcomes[0] === 'bypass') bypassed += 1;
      expect(outcomes).toEqual(['miss']);
    });
    await run(other);
    await run(one);
    end();
    for (const app of [one, other]) {
      const reports = await seenBy(app, (all) => {
        expect(requestsOf(sumOutcomes(all))).toBe(15 + bypassed);
      });
      expect(sumOutcomes(reports)).toEqual({
        ...{ l1: 13, l2: 1, stored: 1, bypassed, notStored: 0, joined: 0, failed: 0 },
      });
      const [query] = sumQueries(reports);
      expect([query?.query, query?.outcomes]).toEqual(['customers.names', sumOutcomes(reports)]);
      expect(query?.hitMs.reduce((sum, count) => sum + count, 0)).toBe(14);
      expect(reports.map(({ pid, mode, dataSource }) => [pid, mode, dataSource])).toEqual(
        reports.map(() => [process.pid, 'serve', 'default']),
      );
      expect(reports[0]?.memory.l1Entries).toBe(1);
      expect(reports[0]?.doubt.triggers).toEqual([
        { table: 'public.customers', state: 'installed' },
      ]);
    }
    expect(live.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(7).fill('hit'),
      ...Array<string>(bypassed).fill('bypass'),
      ...['miss', 'hit'],
    ]);
  });

  it('name the write of one instance as the cause of a miss on the other', async () => {
    const [one, other] = await startTwo();
    await rename(one, 'Eve');
    await eventually(async () => {
      expect((await other.observe(() => run(other))).outcomes).toEqual(['miss']);
    });
    for (const app of [one, other]) {
      const reports = await seenBy(app, (all) => {
        const misses = all.flatMap((report) => report.misses);
        expect(misses.map(({ endedBy }) => endedBy?.statements[0]?.title)).toEqual([
          'UPDATE public.customers',
        ]);
      });
      const [miss] = reports.flatMap((report) => report.misses);
      expect(miss).toMatchObject({ query: 'customers.names', cause: 'outdated' });
      expect(miss?.endedBy).toMatchObject({ source: 'service' });
      // The value of the region is masked.
      expect(JSON.stringify(reports)).not.toMatch(/region=US|Eve|Ada/);
    }
  });

  it('lack an instance that is closed, and one that is killed', async () => {
    const [one, other] = await startTwo();
    await seenBy(one, (all) => expect(all).toHaveLength(2));
    // As an instance that was killed leaves it.
    const [own] = await reportsOf(one).all();
    const killed = JSON.stringify({ ...own, id: 'killed' });
    const [seconds = '0'] = (await admin.time()).map(String);
    const deadlineMs = Number(seconds) * 1_000 + 3_000;
    const text = `${deadlineMs} ${deflateRawSync(killed).toString('base64')}`;
    await admin.hset(await boardKey(), 'i:killed', text);
    await seenBy(one, (all) => expect(all.map(({ id }) => id)).toContain('killed'));
    await other.stop();
    apps.splice(1);
    await seenBy(one, (all) => expect(all.map(({ id }) => id)).toEqual([own?.id]));
    expect(await admin.hkeys(await boardKey())).toEqual([`i:${own?.id}`]);
  });

  it('leave out what another client has put on the board', async () => {
    const [one] = await startTwo();
    await seenBy(one, (all) => expect(all).toHaveLength(2));
    const later = Date.now() + 600_000;
    const planted = (value: string) => `${later} ${deflateRawSync(value).toString('base64')}`;
    const [own] = await reportsOf(one).all();
    await admin.hset(await boardKey(), {
      'i:empty': planted('{}'),
      'i:text': planted('nothing'),
      'i:part': planted(JSON.stringify({ ...own, id: 'x', queries: [{ query: 'q' }] })),
      'i:other': planted(JSON.stringify({ ...own, id: 'x', dataSource: 'other' })),
      mode: 'off',
    });
    await eventually(async () => {
      // The planted mode was read meanwhile.
      expect((await reportsOf(one).own()).atMs).toBeGreaterThan((own?.atMs ?? 0) + 7_000);
    }, LIMIT_MS);
    const reports = await reportsOf(one).all();
    expect(reports.map(({ mode }) => mode)).toEqual(['serve', 'serve']);
  });

  it('show the mark of a write that may commit, with its holder', async () => {
    const [one] = await startTwo();
    await one.source.transaction(async (manager) => {
      await manager.getRepository(Customer).update({ id: 1 }, { name: 'Eve' });
    });
    expect((await reportsOf(one).own()).doubt.marks).toEqual([]);
    const key = (await admin.keys('tidemark:*:{public.customers}:m'))[0] ?? '';
    const deadlineMs = String(Date.now() + 3_600_000);
    const mark = { backendPid: '4711', transactionId: '', deadlineMs, names: ['*'] };
    await admin.hset(key, 'w1', JSON.stringify(mark));
    const marks = await eventually(async () => {
      const { doubt } = await reportsOf(one).own();
      expect(doubt.marks).toHaveLength(1);
      return doubt.marks;
    }, LIMIT_MS);
    expect(marks[0]).toMatchObject({ table: 'public.customers', writeId: 'w1', backendPid: 4711 });
  });
});

describe('the mode of all instances', () => {
  beforeEach(() => admin.flushall());

  it('is followed by the other instance, and by one that starts later, until it is set back', async () => {
    const [one, other] = await startTwo();
    await reportsOf(one).setMode('shadow');
    await eventually(() => expect(reportsOf(other).mode).toBe('shadow'), LIMIT_MS);
    const late = await startApp();
    await reportsOf(late).start();
    expect(reportsOf(late).mode).toBe('shadow');
    const sql = StatementCounter.attach(other.source);
    try {
      const selects = async (): Promise<number> => {
        sql.reset();
        await run(other);
        return sql.statements.filter((text) => /^\s*select .*customers/i.test(text)).length;
      };
      expect(await selects()).toBe(1);
      await reportsOf(late).setMode('serve');
      await eventually(async () => {
        expect([reportsOf(one).mode, reportsOf(other).mode]).toEqual(['serve', 'serve']);
        expect(await selects()).toBe(0);
      }, LIMIT_MS);
    } finally {
      sql.detach();
    }
  });

  it('stays when Redis has lost it', async () => {
    const [one, other] = await startTwo();
    await reportsOf(one).setMode('shadow');
    await admin.del(await boardKey());
    await eventually(() => expect(reportsOf(other).mode).toBe('shadow'), LIMIT_MS);
    expect(reportsOf(one).mode).toBe('shadow');
  });

  it('cannot be set while Redis is away: the reports are of this instance alone', async () => {
    const [one] = await startTwo();
    await seenBy(one, (all) => expect(all).toHaveLength(2));
    await redis.kill();
    try {
      await expect(reportsOf(one).setMode('shadow')).rejects.toThrow();
      expect(reportsOf(one).mode).toBe('serve');
      const reports = await seenBy(one, (all) => expect(all).toHaveLength(1));
      expect(reports[0]?.health.status).toBe('degraded');
      expect(reports[0]?.doubt.problems.join()).toMatch(/Redis is not available/);
    } finally {
      await redis.restart();
    }
    await seenBy(one, (all) => expect(all).toHaveLength(2));
  });
});

describe('an instance whose reports nobody needs', () => {
  beforeEach(() => admin.flushall());

  it('counts and publishes nothing', async () => {
    const app = await startApp();
    await run(app);
    const { events } = app.cache;
    // `hit` has no other listener; the test's own ended with `observe`.
    expect(events.listenerCount('hit')).toBe(0);
    expect(await admin.keys('tidemark:*:{i}:r')).toEqual([]);
  });
});
