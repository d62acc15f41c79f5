/**
 * Servers and instances for one cell of the table: a separate database and Redis server, instances of one system, and
 * the faults that a scenario asks for.
 */
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { RedisServer } from '../../../test/support/redis-server.js';
import { CHANGES, type ChangeName } from '../fixtures/changes.js';
import { Note, SCHEMA, User } from '../fixtures/entities.js';
import { currentAnswer, QUERIES, type QueryName } from '../fixtures/queries.js';
import type { InstanceOptions, PeerCache, PeerSystem } from '../systems/peer-cache.js';
import type { DriverTap } from './driver-tap.js';
import { RedisProxy } from './redis-proxy.js';
import { WriterProcess, type WriterOptions } from './writer-process.js';

/** An instance and its own network to Redis. */
export interface ClusterInstance {
  readonly cache: PeerCache;
  readonly proxy: RedisProxy;
}

export class Cluster {
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(
    readonly system: PeerSystem,
    readonly tap: DriverTap,
    readonly redis: RedisServer,
    private readonly databaseUrl: string,
    private readonly past: DataSource,
  ) {}

  static async open(system: PeerSystem, tap: DriverTap, serverUrl: string): Promise<Cluster> {
    const databaseUrl = await createDatabase(serverUrl);
    const past = new DataSource({ type: 'postgres', url: databaseUrl, entities: [User, Note] });
    await past.initialize();
    await past.query(SCHEMA);
    const redis = await RedisServer.start();
    const cluster = new Cluster(system, tap, redis, databaseUrl, past);
    cluster.#closers.push(
      () => redis.stop(),
      () => past.destroy(),
    );
    return cluster;
  }

  async instance(options: InstanceOptions = {}): Promise<ClusterInstance> {
    const proxy = await RedisProxy.open(this.redis.port);
    this.#closers.push(() => proxy.cut());
    const servers = { databaseUrl: this.databaseUrl, redisUrl: proxy.url };
    const cache = await this.system.start(servers, options);
    this.#closers.push(() => cache.stop());
    return { cache, proxy };
  }

  async writerProcess(
    options: Pick<WriterOptions, 'diesAtCommit' | 'clockBehindMs'>,
  ): Promise<WriterProcess> {
    const writer = await WriterProcess.start({
      ...options,
      system: this.system.id,
      servers: { databaseUrl: this.databaseUrl, redisUrl: this.redis.url },
    });
    this.#closers.push(() => writer.stop());
    return writer;
  }

  /** The answer past every cache. */
  current(query: QueryName): Promise<string> {
    return currentAnswer(this.past.manager, query);
  }

  /** Reads, and returns whether the answer came from the database. */
  read({ cache }: ClusterInstance, query: QueryName): Promise<{ value: string; ranSql: boolean }> {
    return this.tap.selects(QUERIES[query].table, () => cache.read(query));
  }

  /** Reads until each instance answers without SQL. */
  async warm(query: QueryName, ...instances: readonly ClusterInstance[]): Promise<void> {
    for (const instance of instances) {
      for (let attempt = 0; (await this.read(instance, query)).ranSql; attempt += 1) {
        if (attempt === 20) throw new Error(`${this.system.title} does not cache ${query}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /**
   * Carries out a change, then makes the call for its invalidation that the system's documentation asks for. Resolves
   * when all receivers have received the invalidation.
   */
  async write(
    writer: ClusterInstance,
    change: ChangeName,
    invalidated: readonly QueryName[],
    receivers: readonly ClusterInstance[] = [],
  ): Promise<void> {
    const received =
      invalidated.length > 0
        ? receivers.map(({ cache }) => cache.invalidationReceived?.(invalidated))
        : [];
    await CHANGES[change](writer.cache.source.manager);
    await writer.cache.invalidate(invalidated);
    await Promise.all(received);
  }

  /** Removes the keys that say whether answers are valid, as an eviction would. */
  async loseValidityKeys(): Promise<void> {
    const redis = new Redis(this.redis.url);
    try {
      const keys: string[] = [];
      for (const match of this.system.validityKeys) {
        for await (const page of redis.scanStream({ match })) keys.push(...(page as string[]));
      }
      if (keys.length === 0)
        throw new Error(`${this.system.title} keeps no ${this.system.validityKeys.join()}`);
      await redis.unlink(keys);
    } finally {
      redis.disconnect();
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close().catch(() => undefined);
  }
}

async function createDatabase(serverUrl: string): Promise<string> {
  const name = `peers_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
