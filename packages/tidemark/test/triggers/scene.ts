/**
 * An application over one database, and another client that writes to the same database past it.
 *
 * A hit is asserted twice: by the cache's own event, and by the SELECTs from a table that the
 * database got, which are none. Every answer, hit or not, is compared with what the other client reads.
 */
import { expect } from 'vitest';
import type pg from 'pg';
import { DataSource, type ObjectLiteral } from 'typeorm';
import {
  CacheTriggers,
  OutboxRelay,
  TriggerKeeper,
  type CacheInvalidationModuleOptions,
  CacheHealth,
  type CacheHealthReport,
} from '../../src/index.js';
import { OutboxObjects } from '../../src/postgres/capture/outbox-objects.js';
import { OutboxSession } from '../../src/postgres/capture/outbox-session.js';
import { WriteSide } from '../../src/nestjs/write-side.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { StatementCounter } from '../support/statement-counter.js';
import type { World } from '../matrix/fixtures/world.js';

const NAMESPACE = 'tidemark';
/** The cache's own queries of the catalog, the activity of the server and the outbox. */
const OF_THE_CACHE = /\bpg_\w+|"outbox"/;

export interface SceneOptions {
  readonly triggers?: CacheInvalidationModuleOptions['triggers'];
  /** Whether the triggers are there before the application starts. */
  readonly areInstalled?: boolean;
  /** Whether the relay runs. Without it, `check` does the relay's checks at a chosen time. */
  readonly relays?: boolean;
  /** Changes by the other client before the application starts, once the triggers are installed. */
  readonly before?: (otherClient: DataSource) => Promise<unknown>;
  /** Under which the application connects; else it is a superuser. */
  readonly role?: string;
}

/** A write by the application. */
export type Write = (app: CachedApplication) => Promise<unknown>;

/** Sends one statement as the application. */
export function sql(text: string): Write {
  return ({ source }) => source.query(text);
}

export class Scene<N extends string> {
  readonly names: readonly N[];

  private constructor(
    private readonly world: World<N>,
    readonly app: CachedApplication,
    /** A superuser, past the cache. */
    readonly otherClient: DataSource,
    readonly databaseUrl: string,
    private readonly counter: StatementCounter,
  ) {
    this.names = Object.keys(world.answers) as N[];
  }

  static async open<N extends string>(
    world: World<N>,
    {
      triggers = 'install',
      areInstalled = true,
      relays = false,
      before = () => Promise.resolve(),
      role,
    }: SceneOptions = {},
  ): Promise<Scene<N>> {
    const databaseUrl = await createDatabase();
    const otherClient = new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: [...world.entities] as (new () => object)[],
      poolSize: 2,
    });
    await otherClient.initialize();
    await otherClient.query(world.schema);
    if (areInstalled) await new CacheTriggers(otherClient, NAMESPACE).install();
    await before(otherClient);
    const url = new URL(databaseUrl);
    if (role !== undefined) url.username = role;
    const app = await CachedApplication.start({
      databaseUrl: url.href,
      entities: world.entities,
      invalidation: { triggers },
    });
    if (!relays) await app.get(OutboxRelay).close();
    return new Scene(world, app, otherClient, databaseUrl, StatementCounter.attach(app.source));
  }

  async close(): Promise<void> {
    this.counter.detach();
    await this.app.stop();
    await this.otherClient.destroy();
  }

  /** Sends the statements of the application over one connection. */
  async over(...statements: readonly string[]): Promise<void> {
    const runner = this.app.source.createQueryRunner();
    try {
      for (const statement of statements) await runner.query(statement);
    } finally {
      await runner.release();
    }
  }

  get health(): CacheHealthReport {
    return this.app.get(CacheHealth).check();
  }

  /** Checks triggers and partitions for changes by other clients, and repairs them where the application may. */
  async check(): Promise<void> {
    const session = await OutboxSession.open(
      { connectionString: this.databaseUrl },
      new OutboxObjects(NAMESPACE),
    );
    try {
      await this.app.get(WriteSide).recording.check(session);
      await this.app.get(TriggerKeeper).check();
      // A repair is a change as well.
      await this.app.get(WriteSide).recording.check(session);
    } finally {
      await session.close();
    }
  }

  /** Restores the rows through the application, and lets every answer become a hit. */
  async prepare(): Promise<void> {
    const runner = this.app.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as pg.PoolClient;
      await runner.query(this.world.seed);
      // Otherwise TRUNCATE's changes of the catalog may count with the next write over this connection.
      await client.query('SELECT pg_stat_force_next_flush()');
    } finally {
      await runner.release();
    }
    await this.warm();
  }

  async warm(): Promise<void> {
    await eventually(async () => {
      for (const name of this.names) await this.ask(name);
      for (const name of this.names) {
        if (!(await this.ask(name))) throw new Error(`The answer "${name}" is no hit.`);
      }
    });
  }

  /** The answers that are no hits. All of them, hits or not, are true. */
  async ended(): Promise<N[]> {
    const ended: N[] = [];
    for (const name of this.names) if (!(await this.ask(name))) ended.push(name);
    return ended;
  }

  /** All answers are true now, and again once they are hits. */
  async expectTruth(): Promise<void> {
    await this.ended();
    await this.warm();
  }

  /** Runs a write between hits and reads past the cache; returns the answers that it has ended. */
  async endedBy(write: (app: CachedApplication) => Promise<unknown>): Promise<N[]> {
    await this.warm();
    await write(this.app);
    return this.ended();
  }

  /** Whether the answer is a hit. */
  private async ask(name: N): Promise<boolean> {
    const { query } = this.world.answers[name];
    this.counter.reset();
    const { value, outcomes } = await this.app.observe((): Promise<unknown> =>
      this.app.cache.run(query),
    );
    const sent = this.counter.statements.filter(
      (text) => /^SELECT[^]*\bFROM "/.test(text) && !OF_THE_CACHE.test(text),
    );
    const isHit = outcomes.length === 1 && outcomes[0] === 'hit';
    const truth: unknown = await query.build(this.otherClient).getRawMany<ObjectLiteral>();
    const sentNone = sent.length === 0;
    expectEqual({ name, value, sentNone }, { name, value: truth, sentNone: isHit });
    return isHit;
  }
}

function expectEqual(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}
