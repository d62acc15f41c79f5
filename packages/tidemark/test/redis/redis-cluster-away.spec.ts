/**
 * Real: PostgreSQL, a Redis Cluster of three primaries without replicas. A server that is away makes its tables bypass
 * the cache, and no others.
 */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { accounts, ALL, both, ClusterShop, customers } from './cluster-shop.js';

const LIMIT_MS = 60_000;

let shop: ClusterShop;
/** Has the customers, and not the accounts. */
let server: RedisServer;
let outside: pg.Client;

async function open(writePolicy: 'commit' | 'refuse'): Promise<void> {
  shop = await ClusterShop.open({ cluster: { primaries: 3, replicas: 0 }, writePolicy });
  server = await shop.serverOf('public.customers');
  expect(await shop.serverOf('public.accounts')).not.toBe(server);
  outside = new pg.Client({ connectionString: shop.databaseUrl });
  await outside.connect();
}

async function close(): Promise<void> {
  await outside.end();
  await shop.close();
}

/** The names in the rows of the outbox. */
async function waitingRows(): Promise<readonly string[]> {
  const { rows } = await outside.query<{ table_name: string }>(
    'SELECT table_name FROM tidemark_tidemark.outbox ORDER BY id',
  );
  return rows.map(({ table_name: table }) => table);
}

const isRelayed = () => eventually(async () => expect(await waitingRows()).toEqual([]), LIMIT_MS);

/** The outcomes of reads of the accounts, again and again, while `work` runs. */
async function accountsDuring(work: () => Promise<unknown>): Promise<ReadonlySet<string>> {
  const outcomes = new Set<string>();
  for (const { cache } of shop.apps) {
    for (const outcome of ['hit', 'miss', 'bypass'] as const) {
      const listener = ({ query }: { readonly query: string }): void => {
        if (query === accounts.name) outcomes.add(outcome);
      };
      cache.events.on(outcome, listener);
    }
  }
  let isRunning = true;
  const load = (async () => {
    while (isRunning) await shop.expectFresh([accounts]);
  })();
  await work();
  isRunning = false;
  await load;
  return outcomes;
}

describe('under the policy commit', () => {
  beforeAll(() => open('commit'), 120_000);
  beforeEach(async () => {
    await shop.allHit(ALL);
    await isRelayed();
  }, 120_000);
  afterAll(close);

  describe('while a server is away', () => {
    it('its tables bypass the cache, and others go on hitting, also while they are written', async () => {
      const outcomes = await accountsDuring(async () => {
        await server.kill();
        await shop.bypasses(customers);
        await shop.bypasses(both);
      });
      expect([...outcomes]).toEqual(['hit']);
      expect(await shop.writeAccount()).toBe(true);
      await shop.expectFresh();
      await shop.allHit([accounts]);
      await server.restart({ empty: true });
      await shop.allHit(ALL);
    }, 120_000);

    it('a write to its tables is recorded for its bucket, ends no other answer, and is published when it is back', async () => {
      await server.kill();
      await shop.bypasses(customers);
      expect(await shop.writeCustomer()).toBe(true);
      expect(await waitingRows()).toEqual(['#schema/15']);
      await shop.expectFresh();
      // The relay tries the row again and again.
      const outcomes = await accountsDuring(async () => {
        for (let count = 0; count < 20; count += 1) await shop.expectFresh([customers]);
      });
      expect([...outcomes]).toEqual(['hit']);
      await server.restart({ empty: true });
      await shop.allHit(ALL);
      await isRelayed();
    }, 120_000);

    it('writes from outside are seen at once in other tables, and in its own when it is back', async () => {
      await server.kill();
      await shop.bypasses(customers);
      await outside.query(`UPDATE customers SET name = 'eve' WHERE id = 1`);
      await outside.query(`UPDATE accounts SET region = 'FR' WHERE id = 1`);
      await eventually(async () => {
        for (const app of shop.apps) expect(await app.cache.run(accounts)).toEqual(['FR']);
      }, LIMIT_MS);
      await shop.allHit([accounts]);
      await shop.expectFresh();
      // One row stays for the bucket, whatever is written.
      for (const visits of [1, 2, 3]) {
        await outside.query('UPDATE customers SET visits = $1 WHERE id = 1', [visits]);
        await eventually(async () => expect(await waitingRows()).toEqual(['#schema/15']), LIMIT_MS);
      }
      await server.restart({ empty: true });
      await shop.allHit(ALL);
      expect(await shop.apps[1].cache.run(customers)).toEqual(['eve']);
      await isRelayed();
    }, 120_000);

    it('a change of the schema ends the answers of other tables at once, and its own when it is back', async () => {
      await server.kill();
      await shop.bypasses(customers);
      await shop.apps[0].source.query(`ALTER TABLE accounts ADD COLUMN note text`);
      await shop.apps[0].source.query(`ALTER TABLE customers ADD COLUMN note text`);
      await shop.expectFresh();
      await shop.allHit([accounts]);
      await server.restart({ empty: true });
      await shop.allHit(ALL);
      expect(await shop.writeCustomer()).toBe(true);
      await shop.expectFresh();
    }, 120_000);

    it('an instance starts, and caches what the others hold', async () => {
      await server.kill();
      await shop.bypasses(customers);
      const late = await shop.startAnother();
      try {
        await eventually(async () => {
          const { outcomes } = await late.observe(() => late.cache.run(accounts));
          expect(outcomes).toEqual(['hit']);
        }, LIMIT_MS);
        await server.restart({ empty: true });
        await eventually(async () => {
          const { outcomes } = await late.observe(() => late.cache.run(customers));
          expect(outcomes).toEqual(['hit']);
        }, LIMIT_MS);
        await shop.writeCustomer();
        expect(await late.cache.run(customers)).toEqual(await shop.apps[0].cache.run(customers));
      } finally {
        await late.stop();
      }
    }, 120_000);
  });

  it('a write while all servers hang is recorded for all tables: its own may not be all that it wrote', async () => {
    for (const one of shop.cluster.servers) one.pause();
    expect(await shop.writeCustomer()).toBe(true);
    expect(await waitingRows()).toEqual(['*']);
    await shop.expectFresh();
    for (const one of shop.cluster.servers) one.resume();
    await shop.allHit(ALL);
    await isRelayed();
  }, 120_000);

  it('a start after a server has lost its data ends the answers of its tables alone, and the next start none', async () => {
    await server.restart({ empty: true });
    await shop.allHit(ALL);
    await isRelayed();
    const ended: string[] = [];
    for (let starts = 0; starts < 2; starts += 1) {
      const outcomes = await accountsDuring(async () => {
        const late = await shop.startAnother();
        await late.stop();
      });
      expect([...outcomes]).toEqual(['hit']);
      ended.push(...(await shop.outcomesOf(customers)));
      await shop.allHit(ALL);
    }
    expect(ended[0]).not.toBe('hit');
    expect(ended.slice(2)).toEqual(['hit', 'hit']);
  }, 120_000);
});

describe('while a server is away, under the policy refuse', () => {
  beforeAll(() => open('refuse'), 120_000);
  afterAll(close);

  it('writes to its tables are refused, and those to other tables are not', async () => {
    await server.kill();
    await shop.bypasses(customers);
    expect(await shop.writeCustomer()).toBe(false);
    expect(await shop.writeAccount()).toBe(true);
    await shop.expectFresh();
    await shop.allHit([accounts]);
  }, 120_000);
});
