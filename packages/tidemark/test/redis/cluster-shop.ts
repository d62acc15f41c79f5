/** Two instances over a Redis Cluster, and tables that lie on different servers of it. */
import { deepEqual, ok } from 'node:assert/strict';
import {
  defineQuery,
  WriteRefusedError,
  type BoundQuery,
  type WritePolicy,
} from '../../src/index.js';
import { bucketOf, slotOf, tagOfBucket } from '../../src/redis/cluster/slots.js';
import { CachedApplication } from '../support/cached-application.js';
import { StatementCounter } from '../support/statement-counter.js';
import { eventually } from '../../../../test/support/eventually.js';
import {
  RedisClusterServers,
  type RedisClusterOptions,
} from '../../../../test/support/redis-cluster-servers.js';
import type { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { Account } from '../outbox/accounts.entities.js';
import { Customer } from '../fixtures/entities.js';

const LIMIT_MS = 60_000;

export const customers = defineQuery({
  name: 'customers',
  build: (source) => source.getRepository(Customer).createQueryBuilder('c').orderBy('c.id'),
  map: ({ name }) => name,
}).bind();

export const accounts = defineQuery({
  name: 'accounts',
  build: (source) => source.getRepository(Account).createQueryBuilder('a').orderBy('a.id'),
  map: ({ region }) => region,
}).bind();

/** Depends on both tables. */
export const both = defineQuery({
  name: 'both',
  build: (source) =>
    source
      .getRepository(Customer)
      .createQueryBuilder('c')
      .innerJoin(Account, 'a', 'a.id = c.id')
      .orderBy('c.id'),
  map: ({ name }) => name,
}).bind();

export const ALL: readonly BoundQuery[] = [customers, accounts, both];

/** The right answers, by the name of the query. */
const TRUTH: Readonly<Record<string, string>> = {
  customers: 'SELECT name AS value FROM customers ORDER BY id',
  accounts: 'SELECT region AS value FROM accounts ORDER BY id',
  both: 'SELECT c.name AS value FROM customers c JOIN accounts a ON a.id = c.id ORDER BY c.id',
};

export interface ClusterShopOptions {
  readonly cluster: RedisClusterOptions;
  readonly writePolicy: WritePolicy;
}

export class ClusterShop {
  #names = 0;

  private constructor(
    readonly cluster: RedisClusterServers,
    readonly databaseUrl: string,
    /** The first one writes too. */
    readonly apps: readonly [CachedApplication, CachedApplication],
    /** Starts one more instance, which the caller stops. */
    readonly startAnother: () => Promise<CachedApplication>,
    private readonly sql: StatementCounter,
  ) {}

  static async open({ cluster: options, writePolicy }: ClusterShopOptions): Promise<ClusterShop> {
    const databaseUrl = await createDatabase();
    const cluster = await RedisClusterServers.start(options);
    const start = () =>
      CachedApplication.start({
        databaseUrl,
        entities: [Customer, Account],
        synchronize: true,
        cache: { redis: { cluster: cluster.addresses, timeoutMs: 2_000 } },
        invalidation: { triggers: 'install', writePolicy },
      });
    const first = await start();
    const apps = [first, await start()] as const;
    const sql = StatementCounter.attach(first.source);
    const shop = new ClusterShop(cluster, databaseUrl, apps, start, sql);
    await first.source.getRepository(Customer).insert({ id: 1, name: 'ann', region: 'US' });
    await first.source.getRepository(Account).insert({ id: 1, region: 'US' });
    await shop.allHit(ALL);
    return shop;
  }

  async close(): Promise<void> {
    this.sql.detach();
    await Promise.all(this.apps.map((app) => app.stop()));
    await this.cluster.stop();
  }

  /** Until so many more writes have been tried. */
  async hasWritten(more: number): Promise<void> {
    const before = this.#names;
    await eventually(() => ok(this.#names >= before + more), LIMIT_MS);
  }

  /** The hash slot of the table's data. */
  slotOf(table: string): number {
    return slotOf(`{${tagOfBucket(bucketOf(table))}}`);
  }

  /** The server that has the table's data now. */
  serverOf(table: string): Promise<RedisServer> {
    return this.cluster.primaryOf(this.slotOf(table));
  }

  /** Writes the customer; resolves to whether the write was not refused. */
  async writeCustomer(): Promise<boolean> {
    this.#names += 1;
    const name = `ann ${this.#names}`;
    return this.#write(() =>
      this.apps[0].source.getRepository(Customer).update({ id: 1 }, { name }),
    );
  }

  async writeAccount(): Promise<boolean> {
    this.#names += 1;
    const region = `r${this.#names}`;
    return this.#write(() =>
      this.apps[0].source.getRepository(Account).update({ id: 1 }, { region }),
    );
  }

  async #write(update: () => Promise<unknown>): Promise<boolean> {
    try {
      await update();
      return true;
    } catch (error) {
      if (error instanceof WriteRefusedError) return false;
      throw error;
    }
  }

  /** What both instances answer is what the database says now. */
  async expectFresh(queries: readonly BoundQuery[] = ALL): Promise<void> {
    for (const query of queries) {
      const rows = await this.apps[0].source.query<{ value: string }[]>(TRUTH[query.name] ?? '');
      const truth = rows.map(({ value }) => value);
      for (const app of this.apps) {
        deepEqual([query.name, await app.cache.run(query)], [query.name, truth]);
      }
    }
  }

  /** Both instances answer from their caches, without a SELECT, and rightly. */
  async allHit(queries: readonly BoundQuery[]): Promise<void> {
    for (const app of this.apps) {
      for (const query of queries) {
        await eventually(async () => {
          this.sql.reset();
          const { outcomes } = await app.observe(() => app.cache.run(query));
          deepEqual([query.name, ...outcomes], [query.name, 'hit']);
          deepEqual(
            this.sql.statements.filter((text) => /^\s*select/i.test(text)),
            [],
          );
        }, LIMIT_MS);
      }
    }
    await this.expectFresh(queries);
  }

  /** The outcomes of one read by each instance. */
  async outcomesOf(query: BoundQuery): Promise<readonly string[]> {
    const outcomes: string[] = [];
    for (const app of this.apps) {
      outcomes.push(...(await app.observe(() => app.cache.run(query))).outcomes);
    }
    return outcomes;
  }

  /** Until both instances bypass the cache for the query. */
  async bypasses(query: BoundQuery): Promise<void> {
    await eventually(async () => {
      deepEqual(await this.outcomesOf(query), ['bypass', 'bypass']);
    }, LIMIT_MS);
  }

  /** Writes both tables and reads, one after another, for as long as `work` runs. */
  async underLoad(work: () => Promise<unknown>): Promise<void> {
    let isRunning = true;
    const load = (async () => {
      while (isRunning) {
        await this.writeCustomer();
        await this.writeAccount();
        await this.expectFresh();
      }
    })();
    try {
      await Promise.race([load, work()]);
    } finally {
      isRunning = false;
      await load;
    }
  }
}
