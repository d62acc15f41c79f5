/** Nothing is answered from the cache while statements of the data source may go unseen. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Global, Injectable, Module } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { eventually } from '../../../../test/support/eventually.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StartedApplication, type StartOptions } from './started-application.js';

let redis: RedisServer;
let databaseUrl: string;
let client: pg.Client;
let started: StartedApplication[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  databaseUrl = await createDatabase();
  client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(`CREATE TABLE parts (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO parts VALUES (1, 'bolt')`);
});

afterEach(async () => {
  for (const application of started.toReversed()) await application.stop();
  started = [];
  await client.end();
});

async function start(options: Partial<StartOptions> = {}): Promise<StartedApplication> {
  const application = await StartedApplication.start({
    databaseUrl,
    invalidation: { triggers: 'off' },
    ...options,
  });
  started.push(application);
  return application;
}

/** Over one Redis, in a namespace for each test. */
const shared = (): Pick<StartOptions, 'cache'> => ({
  cache: { redis: { url: redis.url }, namespace: new URL(databaseUrl).pathname.slice(1) },
});

const RENAME = `UPDATE parts SET name = 'nut'`;

class Rename1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(RENAME);
  }

  async down(): Promise<void> {
    // Nothing to undo.
  }
}
const Rename = Rename1700000000000;

class Rewrite1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE parts ALTER COLUMN name TYPE text USING 'nut'`);
  }

  async down(): Promise<void> {
    // Nothing to undo.
  }
}
const Rewrite = Rewrite1700000000001;

@Injectable()
class EarlyWriter implements OnModuleInit {
  constructor(private readonly source: DataSource) {}

  async onModuleInit(): Promise<void> {
    await this.source.query(RENAME);
  }
}

@Global()
@Module({ providers: [EarlyWriter] })
class EarlyModule {}

describe('an application that does not follow its writes', () => {
  it('follows them before it is initialised', async () => {
    const application = await start({ isInitialised: false });
    expect(await application.warm()).toEqual(['bolt']);
    await application.source.query(RENAME);
    expect((await application.read()).value).toEqual(['nut']);
  });

  it('answers from the database until its data source is initialised', async () => {
    const application = await start({ source: { manualInitialization: true } });
    await expect(application.read()).rejects.toThrow('No metadata');
    await application.source.initialize();
    expect(await application.warm()).toEqual(['bolt']);
    await application.source.query(RENAME);
    expect((await application.read()).value).toEqual(['nut']);
  });

  it('answers from the database while another one follows the same data source', async () => {
    const first = await start();
    const second = await start({ dataSourceFactory: () => Promise.resolve(first.source) });
    await first.warm();
    await second.read();
    expect(await second.read()).toEqual({ value: ['bolt'], outcome: 'bypass not-followed' });
    await second.source.query(RENAME);
    for (const application of [first, second]) {
      expect((await application.read()).value).toEqual(['nut']);
    }
  });
});

describe('a data source that loses the subscriber', () => {
  it('is followed again after it was destroyed and initialised', async () => {
    const application = await start(shared());
    const other = await start(shared());
    await application.warm();
    await other.warm();
    await application.source.destroy();
    await application.source.initialize();
    await application.source.query(RENAME);
    expect((await application.read()).value).toEqual(['nut']);
    await eventually(async () => expect((await other.read()).value).toEqual(['nut']));
    expect(await application.warm()).toEqual(['nut']);
    await application.source.query(`UPDATE parts SET name = 'screw'`);
    expect((await application.read()).value).toEqual(['screw']);
    expect((await other.read()).value).toEqual(['screw']);
  });

  it('is followed again without being read', async () => {
    const [application, other] = [await start(shared()), await start(shared())];
    await other.warm();
    application.source.subscribers.length = 0;
    await application.source.query(RENAME);
    await eventually(async () => expect((await other.read()).value).toEqual(['nut']));
  });
});

describe('writes of an application before its statements are followed', () => {
  it.each<[string, () => Partial<StartOptions>]>([
    [
      'in its dataSourceFactory',
      () => ({
        dataSourceFactory: async (options) => {
          const source = await new DataSource(options).initialize();
          await source.query(RENAME);
          return source;
        },
      }),
    ],
    ['in a migration', () => ({ source: { migrations: [Rename], migrationsRun: true } })],
    [
      'in a migration that rewrites a table',
      () => ({ source: { migrations: [Rewrite], migrationsRun: true } }),
    ],
    ['when a global module is initialised before', () => ({ before: [EarlyModule] })],
  ])('end the answers of other instances: %s', async (_where, options) => {
    const other = await start({ ...shared(), invalidation: {} });
    expect(await other.warm()).toEqual(['bolt']);
    await start({ ...shared(), invalidation: {}, ...options() });
    expect((await other.read()).value).toEqual(['nut']);
  });

  it('end nothing where the triggers record writes, and nothing was written', async () => {
    const options = { ...shared(), invalidation: {} };
    const other = await start(options);
    await other.warm();
    // The first start after a change of the schema ends all answers once more.
    await start(options);
    await other.warm();
    await start(options);
    expect(await other.read()).toEqual({ value: ['bolt'], outcome: 'hit' });
  });

  it('end the answers of other instances where a transaction commits after the start', async () => {
    const other = await start(shared());
    await other.warm();
    let open: QueryRunner | undefined;
    const application = await start({
      ...shared(),
      dataSourceFactory: async (options) => {
        const source = await new DataSource(options).initialize();
        open = source.createQueryRunner();
        await open.startTransaction();
        await open.query(RENAME);
        return source;
      },
    });
    expect(await other.warm()).toEqual(['bolt']);
    await open?.commitTransaction();
    await open?.release();
    expect((await other.read()).value).toEqual(['nut']);
    expect((await application.read()).value).toEqual(['nut']);
  });
});
