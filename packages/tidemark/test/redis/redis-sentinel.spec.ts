/**
 * Real: PostgreSQL, Redis, Sentinels. The primary changes while two instances read and write. Neither shows an old
 * answer, and both answer from their cache again.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineQuery, WriteRefusedError, type WritePolicy } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { StatementCounter } from '../support/statement-counter.js';
import { eventually } from '../../../../test/support/eventually.js';
import { itWhenLong, representatives } from '../../../../test/support/long-tests.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { DOWN_AFTER_MS, SentinelCluster } from '../../../../test/support/sentinel-cluster.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Customer } from '../fixtures/entities.js';

const names = defineQuery({
  name: 'customers.names',
  build: (source, { region }: { region: string }) =>
    source.getRepository(Customer).createQueryBuilder('c').where('c.region = :region', { region }),
  map: ({ name }) => name,
}).bind({ region: 'US' });

let cluster: SentinelCluster;
let first: RedisServer;
let databaseUrl: string;
let writer: CachedApplication;
let reader: CachedApplication;
let sql: StatementCounter;
let writes = 0;
/** The name that the last write which was not refused has stored. */
let stored: string;

beforeAll(async () => {
  databaseUrl = await createDatabase();
});

async function open(writePolicy: WritePolicy): Promise<void> {
  cluster = await SentinelCluster.start({ password: 'of-servers', sentinelPassword: 'of-others' });
  first = await cluster.primary();
  const start = () =>
    CachedApplication.start({
      databaseUrl,
      entities: [Customer],
      synchronize: true,
      cache: { redis: { ...cluster.target, timeoutMs: 5_000 } },
      invalidation: { triggers: 'install', writePolicy },
    });
  writer = await start();
  reader = await start();
  sql = StatementCounter.attach(writer.source);
  await writer.source.query('TRUNCATE customers');
  stored = 'ann';
  await writer.source.getRepository(Customer).insert({ id: 1, name: stored, region: 'US' });
  await allHit();
}

afterEach(async () => {
  sql.detach();
  await Promise.all([writer.stop(), reader.stop()]);
  await cluster.stop();
});

/** Both instances answer the last value from their cache, without a SELECT. */
async function allHit(): Promise<void> {
  for (const app of [writer, reader]) {
    await eventually(async () => {
      sql.reset();
      const { value, outcomes } = await app.observe(() => app.cache.run(names));
      expect(value).toEqual([stored]);
      expect(outcomes).toEqual(['hit']);
      expect(sql.selectsFrom('customers')).toEqual([]);
    }, 60_000);
  }
}

/** A write that is refused changes nothing. */
async function write(): Promise<void> {
  writes += 1;
  const name = `ann ${writes}`;
  try {
    await writer.source.getRepository(Customer).update({ id: 1 }, { name });
    stored = name;
  } catch (error) {
    if (!(error instanceof WriteRefusedError)) throw error;
  }
}

/** A write that was not refused. */
async function published(): Promise<void> {
  const before = stored;
  await eventually(async () => {
    await write();
    expect(stored).not.toBe(before);
  }, 60_000);
}

async function expectFresh(): Promise<void> {
  for (const app of [reader, writer]) expect(await app.cache.run(names)).toEqual([stored]);
}

/** Writes and reads one after another for as long as `work` runs. */
async function underWrites(work: () => Promise<unknown>): Promise<void> {
  let isRunning = true;
  const load = (async () => {
    while (isRunning) {
      await write();
      await expectFresh();
    }
  })();
  await Promise.race([load, work()]);
  isRunning = false;
  await load;
}

/** No connection of the cache is left on the server. */
async function isLeft(server: RedisServer): Promise<void> {
  await eventually(async () => {
    expect(await cluster.command(server, 'CLIENT', 'LIST')).not.toContain('name=tidemark:');
  });
}

const failovers: readonly { readonly fault: string; readonly run: () => Promise<unknown> }[] = [
  {
    fault: 'SENTINEL FAILOVER from a primary that goes on answering as one',
    run: async () => {
      await cluster.keepPrimary(first);
      await cluster.failOver();
      await isLeft(first);
      expect(await cluster.infoOf(first, 'role')).toBe('master');
    },
  },
  {
    fault: 'kill -9 of the primary',
    run: async () => {
      await first.kill();
      await cluster.hasLeft(first);
    },
  },
  {
    fault: 'kill -9 of the primary after that of a Sentinel',
    run: async () => {
      await cluster.sentinels[0]?.kill();
      await first.kill();
      await cluster.hasLeft(first);
    },
  },
  {
    fault: 'SENTINEL FAILOVER, and another one back to the first primary',
    run: async () => {
      const runId = await cluster.infoOf(first, 'run_id');
      await cluster.failOver();
      const [, ...others] = cluster.servers;
      await eventually(async () => {
        expect(await cluster.infoOf(first, 'master_link_status')).toBe('up');
      }, 60_000);
      // The Sentinels promote the server with the lowest number, and none with 0.
      for (const other of others) {
        await cluster.command(other, 'CONFIG', 'SET', 'replica-priority', '0');
      }
      await eventually(async () => {
        await cluster.failOver();
        expect(await cluster.primary()).toBe(first);
      }, 60_000);
      expect(await cluster.infoOf(first, 'run_id')).toBe(runId);
    },
  },
];

/** Reads of both instances go to the database. */
async function bypass(): Promise<void> {
  for (const app of [writer, reader]) {
    await eventually(async () => {
      const { outcomes } = await app.observe(() => app.cache.run(names));
      expect(outcomes).toEqual(['bypass']);
    });
  }
}

describe('two instances over Sentinels, under the policy refuse', () => {
  beforeEach(() => open('refuse'));

  it.each(representatives(failovers, 0))(
    'show no old answer in $fault, and hit again',
    { timeout: 240_000 },
    async ({ run }) => {
      await underWrites(run);
      await allHit();
      await published();
      await expectFresh();
      await allHit();
    },
  );

  itWhenLong('go on hitting while Sentinels die, and connect while one is left', async () => {
    const cut = () => cluster.command(first, 'CLIENT', 'KILL', 'TYPE', 'normal');
    const [last, ...others] = cluster.sentinels;
    for (const sentinel of others) {
      await sentinel.kill();
      await allHit();
      await cut();
      await published();
      await expectFresh();
      await allHit();
    }
    await last?.kill();
    await allHit();
    await cut();
    // Neither finds a server: reads go to the database, and writes are refused.
    const { outcomes } = await reader.observe(expectFresh);
    expect(outcomes).not.toContain('hit');
    const before = stored;
    await write();
    expect(stored).toBe(before);
  });
});

describe('while there is no primary', () => {
  it.each(representatives<WritePolicy>(['commit', 'refuse'], 0))(
    'reads go to the database, and a write is to %s; with another primary both instances hit, and miss no write',
    { timeout: 240_000 },
    async (policy) => {
      await open(policy);
      await cluster.set('down-after-milliseconds', '600000');
      await first.kill();
      await bypass();
      const before = stored;
      await write();
      expect(stored !== before).toBe(policy === 'commit');
      await expectFresh();
      await cluster.set('down-after-milliseconds', DOWN_AFTER_MS);
      await cluster.hasLeft(first);
      await allHit();
      await published();
      await expectFresh();
      await allHit();
    },
  );
});
