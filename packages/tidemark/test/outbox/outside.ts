/** An application whose tables have triggers, and a client that writes past it. */
import { expect } from 'vitest';
import pg from 'pg';
import { DataSource, type EntityTarget, type ObjectLiteral } from 'typeorm';
import {
  CacheTriggers,
  OutboxRelay,
  type CacheInvalidationModuleOptions,
  type BoundQuery,
  type QueryCacheModuleOptions,
} from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { eventually } from '../../../../test/support/eventually.js';
import { copiesOf, createDatabase } from '../../../../test/support/shared-postgres.js';

export interface OutsideOptions {
  readonly entities: readonly EntityTarget<ObjectLiteral>[];
  /** Made before the triggers. */
  readonly schema?: string;
  readonly cache?: QueryCacheModuleOptions;
  readonly invalidation?: CacheInvalidationModuleOptions;
}

const NAMESPACE = 'tidemark';

/** Called before the application starts, so that its relay finds the outbox at once. */
async function install(
  url: string,
  { entities, schema = '', cache = {} }: OutsideOptions,
): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url,
    entities: [...entities] as (new () => object)[],
    synchronize: true,
  });
  await source.initialize();
  try {
    await source.query(schema);
    await new CacheTriggers(source, cache.namespace ?? NAMESPACE).install();
  } finally {
    await source.destroy();
  }
}

export class Outside {
  private constructor(
    readonly app: CachedApplication,
    /** The client that writes past the application. */
    readonly client: pg.Client,
    readonly triggers: CacheTriggers,
    readonly databaseUrl: string,
  ) {}

  static async open(options: OutsideOptions): Promise<Outside> {
    const databaseUrl = await createDatabase();
    await install(databaseUrl, options);
    return Outside.#over(databaseUrl, options);
  }

  /** Opens one after another, each over a copy of the same database. */
  static opening(options: OutsideOptions): () => Promise<Outside> {
    const databaseUrl = copiesOf((url) => install(url, options));
    return async () => Outside.#over(await databaseUrl(), options);
  }

  static async #over(
    databaseUrl: string,
    { entities, cache = {}, invalidation = {} }: OutsideOptions,
  ): Promise<Outside> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    const app = await CachedApplication.start({ databaseUrl, entities, cache, invalidation });
    const triggers = new CacheTriggers(app.source, cache.namespace ?? NAMESPACE);
    const outside = new Outside(app, client, triggers, databaseUrl);
    await eventually(() => outside.expectState('relaying'));
    return outside;
  }

  get relay(): OutboxRelay {
    return this.app.get(OutboxRelay);
  }

  expectState(state: OutboxRelay['state']): void {
    if (this.relay.state !== state) throw new Error(`The relay is ${this.relay.state}.`);
  }

  async close(): Promise<void> {
    await this.app.stop();
    await this.client.end();
  }

  async outcomeOf(query: BoundQuery): Promise<string | undefined> {
    const { outcomes } = await this.app.observe(() => this.app.cache.run(query));
    return outcomes[0];
  }

  async warm(queries: Iterable<BoundQuery>): Promise<void> {
    for (const query of queries) {
      await eventually(async () => {
        if ((await this.outcomeOf(query)) !== 'hit') throw new Error(`${query.name} is no hit.`);
      });
    }
  }

  /** Runs the work and waits until its writes are relayed; returns the number of their rows in the outbox. */
  async relayed(work: () => Promise<unknown>): Promise<number> {
    let rows = 0;
    const count = (event: { rows: number }): void => void (rows += event.rows);
    this.app.cache.events.on('relayed', count);
    try {
      await work();
      await this.emptied();
    } finally {
      this.app.cache.events.off('relayed', count);
    }
    return rows;
  }

  async emptied(): Promise<void> {
    await eventually(async () => {
      const [outbox] = await this.triggers.outboxes();
      if (outbox?.rows !== 0) throw new Error(`The outbox has ${outbox?.rows} rows.`);
    });
  }
}

/** Which of the answers are no hits any more; all of them are what the database says. */
export async function endedOf(
  answers: Readonly<Record<string, BoundQuery>>,
  { app }: Outside,
): Promise<string[]> {
  const ended: string[] = [];
  for (const [name, query] of Object.entries(answers)) {
    const { value, outcomes } = await app.observe(() => app.cache.run(query));
    if (outcomes[0] !== 'hit') ended.push(name);
    const truth: unknown = await query.build(app.source).getRawMany();
    expect({ name, value }).toEqual({ name, value: truth });
  }
  return ended;
}
