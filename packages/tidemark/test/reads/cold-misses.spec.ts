/** Real: PostgreSQL, Redis. The commands that a miss sends to both. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { defineQuery } from '../../src/index.js';
import { createVersions } from '../../src/redis/scripts/create-versions.script.js';
import { takeFillLock } from '../../src/redis/scripts/fill-lock.script.js';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisMonitor } from '../../../../test/support/redis-monitor.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { StatementCounter } from '../support/statement-counter.js';
import { TcpProxy } from '../../../../test/support/tcp-proxy.js';
import { CachedReads } from './cached-reads.js';

@Entity('cities')
class City {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

const from = defineQuery({
  name: 'cities.from',
  build: (source, { id }: { id: number }) =>
    source.getRepository(City).createQueryBuilder('c').where('c.id >= :id', { id }).orderBy('c.id'),
});
/** Its constraint is checked at the end of a transaction. */
@Entity('towns')
class Town {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}

const towns = defineQuery({
  name: 'towns',
  build: (source, { least }: { least: number }) =>
    source.getRepository(Town).createQueryBuilder('t').where('t.id > :least', { least }),
  map: ({ name }) => name,
});
const byId = defineQuery({
  name: 'cities.byId',
  shape: 'one',
  build: (source, { id }: { id: number }) =>
    source.getRepository(City).createQueryBuilder('c').where('c.id = :id', { id }),
});
const SELECTS = /^SELECT "c"/;
/** With what the two scripts of the lock run. */
const SENT = [
  ...['evalsha', 'exists', 'pttl', 'set', 'getrange', 'mget'],
  ...['set', 'evalsha', 'get', 'del'],
];
const NO_ROW_LATER = 3;
const KEYS = /tidemark:(?:[ef]:|[\w-]+:\{public\.cities\})/;
/** The commands before a fill; commands of earlier reads and writes may come at any time. */
const READS = new RegExp(['mget', 'getrange', createVersions.sha1, takeFillLock.sha1].join('|'));

let server: RedisServer;
let admin: Redis;
let reads: CachedReads;
let asked = 0;

/** A query whose answer was never read. */
const cold = () => from.bind({ id: (asked -= 1) });

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new Redis(server.port);
  reads = await CachedReads.start([City, Town], [], { redis: { url: server.url } });
  await reads.write(`INSERT INTO cities SELECT i, 'city ' || i FROM generate_series(1, 2) i`);
  await reads.write('ALTER TABLE towns ADD UNIQUE (name) DEFERRABLE INITIALLY DEFERRED');
  await reads.write(`INSERT INTO towns VALUES (100, 'taken')`);
  // The versions exist, and the written regions are no longer in doubt.
  await reads.warm(() => from.bind({ id: NO_ROW_LATER }));
});

afterAll(async () => {
  await reads.stop();
  admin.disconnect();
  await server.stop();
});

it('requests the versions, the entry and the lock from Redis, and stores: each once', async () => {
  const monitor = await RedisMonitor.start(admin, /^tidemark:([ef]:|[\w-]+:{public.cities}:v:)/);
  try {
    // From here on Redis knows the scripts.
    await reads.read(cold());
    await eventually(async () => expect((await monitor.names()).at(-1)).toBe('del'));
    const before = (await monitor.names()).length;
    const { outcome, statements, value } = await reads.read(cold());
    expect(value).toHaveLength(2);
    expect(outcome).toBe('miss');
    expect(statements).toEqual([expect.stringMatching(SELECTS)]);
    await eventually(async () => expect((await monitor.names()).slice(before)).toEqual(SENT));
  } finally {
    monitor.stop();
  }
});

describe('before its SELECT a miss sends to Redis', () => {
  let proxy: TcpProxy;
  let app: CachedReads;
  let sql: StatementCounter;
  let writes: number;

  beforeAll(async () => {
    proxy = await TcpProxy.open(server.port, (text) => {
      const isOfRead = KEYS.test(text) && READS.test(text);
      if (isOfRead && sql.selectsFrom('cities').length === 0) writes += 1;
    });
    app = await CachedReads.start([City], [], { redis: { url: proxy.redisUrl } });
    sql = StatementCounter.attach(app.app.source);
    await app.write(`INSERT INTO cities SELECT i, 'city ' || i FROM generate_series(1, 2) i`);
    await app.warm(() => from.bind({ id: NO_ROW_LATER }));
    // From here on Redis knows the scripts.
    await app.read(byId.bind({ id: 5 }));
  });

  afterAll(async () => {
    sql.detach();
    await app.stop();
    await proxy.close();
  });

  /** Each command that is waited for needs a separate socket write. */
  async function writesOf(query: Parameters<CachedReads['read']>[0]): Promise<number> {
    sql.reset();
    writes = 0;
    expect((await app.read(query)).outcome).toBe('miss');
    expect(sql.selectsFrom('cities')).toHaveLength(1);
    return writes;
  }

  it('one write where its versions exist', async () => {
    expect(await writesOf(cold())).toBe(1);
  });

  it('two where versions are to be created', async () => {
    expect(await writesOf(byId.bind({ id: 1 }))).toBe(2);
  });

  it('two where its entry in memory has ended', async () => {
    await app.warm(() => byId.bind({ id: 2 }));
    await app.write(`UPDATE cities SET name = 'city 2a' WHERE id = 2`);
    // The written regions are in doubt at first.
    await eventually(async () => expect(await writesOf(byId.bind({ id: 2 }))).toBe(2));
  });
});

it('leaves no lock behind when the application stops', async () => {
  for (let i = 0; i < 5; i += 1) {
    const app = await CachedReads.start([City], [], { redis: { url: server.url } });
    await app.read(cold());
    await delay(30);
    await app.read(cold());
    await app.stop();
    const [, locks] = await admin.scan(0, 'MATCH', 'tidemark:f:*', 'COUNT', 100_000);
    expect(locks).toEqual([]);
  }
});

it('uses the current values of parameters, whatever they were before', async () => {
  await reads.write('CREATE EXTENSION IF NOT EXISTS citext');
  const named = defineQuery({
    name: 'cities.named',
    shape: 'raw',
    build: (source, { name, least }: { name: string; least: number }) =>
      source
        .getRepository(City)
        .createQueryBuilder('c')
        .select('c.id', 'id')
        .where('c.name = :name AND c.id > :least', { name, least }),
  });
  const ask = async (least: number) =>
    (await reads.read(named.bind({ name: 'CITY 1', least }))).value;
  for (let least = 0; least > -9; least -= 1) expect(await ask(least)).toEqual([]);
  await reads.write('ALTER TABLE cities ALTER COLUMN name TYPE citext');
  expect(await ask(-10)).toEqual([{ id: 1 }]);
});

it('stores rows selected without their key', async () => {
  const make = () =>
    reads.app.source.getRepository(City).createQueryBuilder('c').select('c.name').orderBy('c.id');
  expect(await reads.warm(make)).toEqual([{ name: 'city 1' }, { name: 'city 2' }]);
  await reads.write(`UPDATE cities SET name = 'city 3' WHERE id = 1`);
  await reads.expectAnew(make, [{ name: 'city 3' }, { name: 'city 2' }]);
  await reads.write(`UPDATE cities SET name = 'city 1' WHERE id = 1`);
});

it('shows no change of a transaction that is under way over its connection', async () => {
  const runners = Array.from({ length: 5 }, () => reads.app.source.createQueryRunner());
  for (let round = 0; round < 5; round += 1) {
    // Every connection is given back while its statement has not been answered, and will be undone.
    const undone = runners.map(async () => {
      const runner = reads.app.source.createQueryRunner();
      await runner.connect();
      const sent = runner.query('INSERT INTO towns VALUES ($1, $2)', [round, 'taken']);
      const outcome = sent.then(
        () => 'kept',
        () => 'undone',
      );
      await runner.release();
      return outcome;
    });
    const seen = await Promise.all(runners.map(() => reads.read(towns.bind({ least: asked-- }))));
    expect(await Promise.all(undone)).not.toContain('kept');
    for (const { value } of seen) expect(value).toEqual(['taken']);
  }
});
