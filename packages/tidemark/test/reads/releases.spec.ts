/**
 * Real: PostgreSQL, Redis. Two releases of a service share the cache; where they make different
 * objects of the same rows, neither gets the other's, and a write of either ends the answers of both.
 */
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from 'vitest';
import {
  AfterLoad,
  Column,
  Entity,
  PrimaryColumn,
  type ObjectLiteral,
  type SelectQueryBuilder,
} from 'typeorm';
import { defineQuery, type QueryCacheModuleOptions } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';

type Release = new () => object;

function first(): Release {
  @Entity('prices')
  class Price {
    @PrimaryColumn({ type: 'integer' })
    id: number;

    @Column({ type: 'text' })
    amount: string;
  }
  return Price;
}

function withTransformer(): Release {
  @Entity('prices')
  class Price {
    @PrimaryColumn({ type: 'integer' })
    id: number;

    @Column({ type: 'text', transformer: { to: String, from: Number } })
    amount: number;
  }
  return Price;
}

function withOtherName(): Release {
  @Entity('prices')
  class Price {
    @PrimaryColumn({ type: 'integer' })
    id: number;

    @Column({ type: 'text', name: 'amount' })
    total: string;
  }
  return Price;
}

function withListener(): Release {
  @Entity('prices')
  class Price {
    @PrimaryColumn({ type: 'integer' })
    id: number;

    @Column({ type: 'text' })
    amount: string;

    @AfterLoad()
    load(): void {
      this.amount = `${this.amount} EUR`;
    }
  }
  return Price;
}

let redis: RedisServer;
let databaseUrl: string;
let running: CachedApplication[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(() => redis.stop());

beforeEach(async () => {
  databaseUrl = await createDatabase();
});

afterEach(async () => {
  for (const application of running) await application.stop();
  running = [];
});

async function start(
  release: Release,
  options: QueryCacheModuleOptions = {},
): Promise<CachedApplication> {
  const cache = { redis: { url: redis.url }, ...options };
  const application = await CachedApplication.start({
    databaseUrl,
    entities: [release],
    synchronize: true,
    cache,
  });
  running.push(application);
  return application;
}

function prices({ source }: CachedApplication): SelectQueryBuilder<ObjectLiteral> {
  return source.getRepository('Price').createQueryBuilder('p');
}

function seen(application: CachedApplication): Promise<{ value: unknown; outcomes: string[] }> {
  return application.observe(() => application.cache.run(prices(application)));
}

it.each([
  ['reads a column through a transformer', withTransformer],
  ['gives a property another name', withOtherName],
  ['has a listener', withListener],
])('the new one %s', async (_what, make) => {
  const old = await start(first());
  const next = await start(make());
  await old.source.query("INSERT INTO prices VALUES (1, '12.50')");
  await eventually(async () => expect((await seen(old)).outcomes).toEqual(['hit']));

  expect(prices(next).getQuery()).toBe(prices(old).getQuery());
  expect(await seen(next)).toEqual({ value: await prices(next).getMany(), outcomes: ['miss'] });
});

it('reuses the answers of an equal release', async () => {
  const old = await start(first());
  const equal = await start(first());
  await old.source.query("INSERT INTO prices VALUES (1, '12.50')");
  await eventually(async () => expect((await seen(old)).outcomes).toEqual(['hit']));

  expect((await seen(equal)).outcomes).toEqual(['hit']);
});

/** Definitions of one name and one text, which differ by the helper alone. */
function priced(helper: (amount: string) => unknown) {
  return defineQuery({
    name: 'prices.all',
    build: (source) => source.getRepository('Price').createQueryBuilder('p'),
    map: (row) => helper(row['amount'] as string),
    headers: (rows) => ({ 'x-first': String(rows[0]) }),
  });
}

it('reads no answer of another release, even if only a helper of its map has changed', async () => {
  const Price = first();
  const inOld = priced((amount) => amount);
  const old = await start(Price, { release: '1.0.0' });
  const inNext = priced((amount) => ({ value: Number(amount), currency: 'EUR' }));
  const next = await start(Price, { release: '1.1.0' });
  const readOld = () => old.observe(() => old.cache.run(inOld.bind()));
  const readNext = () => next.observe(() => next.cache.run(inNext.bind()));
  const statements = StatementCounter.attach(old.source);
  try {
    await old.source.query("INSERT INTO prices VALUES (1, '12.50')");
    await eventually(async () =>
      expect(await readOld()).toEqual({ value: ['12.50'], outcomes: ['hit'] }),
    );

    statements.reset();
    const made = [{ value: 12.5, currency: 'EUR' }];
    expect(await readNext()).toEqual({ value: made, outcomes: ['miss'] });
    expect(statements.selectsFrom('prices')).toHaveLength(1);
    expect(await readNext()).toEqual({ value: made, outcomes: ['hit'] });
    expect(await readOld()).toEqual({ value: ['12.50'], outcomes: ['hit'] });
    expect(statements.selectsFrom('prices')).toHaveLength(1);

    await old.source.query("UPDATE prices SET amount = '8'");
    expect((await readNext()).value).toEqual([{ value: 8, currency: 'EUR' }]);
    await next.source.query("UPDATE prices SET amount = '9'");
    expect((await readOld()).value).toEqual(['9']);
  } finally {
    statements.detach();
  }
});
