/**
 * Bentocache with memory, Redis and a bus between instances, as its documentation has it for more
 * than one instance: once with keys deleted after a write, once with tags (a tag a table).
 * https://bentocache.dev/docs/multi-tier, https://bentocache.dev/docs/tagging
 */
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { Redis, type RedisOptions } from 'ioredis';
import { DataSource, type EntityManager } from 'typeorm';
import { eventually } from '../../../test/support/eventually.js';
import { Note, User } from '../fixtures/entities.js';
import { answerText, QUERIES, type QueryName } from '../fixtures/queries.js';
import {
  TTL_MS,
  type InstanceOptions,
  type PeerCache,
  type PeerSystem,
  type Servers,
} from './peer-cache.js';

type Style = 'keys' | 'tags';

const TAG_KEY = '___bc:t:';
const BUS_CHANNEL = 'bentocache.notifications:queries';
const GRACE_MS = 6 * 60 * 60_000;

const shared = {
  keptIn: 'redis',
  invalidatesByItself: false,
  staleOption: '`grace`',
} as const;

export const bentocacheKeys: PeerSystem = {
  ...shared,
  id: 'bentocache-keys',
  title: 'bentocache (delete)',
  validityKeys: [],
  start: (servers, options) => Bentocache.start(servers, options, 'keys'),
};

export const bentocacheTags: PeerSystem = {
  ...shared,
  id: 'bentocache-tags',
  title: 'bentocache (tags)',
  validityKeys: [`*${TAG_KEY}*`],
  start: (servers, options) => Bentocache.start(servers, options, 'tags'),
};

class Bentocache implements PeerCache {
  private constructor(
    readonly source: DataSource,
    private readonly bento: ReturnType<typeof createBento>,
    private readonly connection: RedisOptions,
    private readonly style: Style,
  ) {}

  static async start(
    { databaseUrl, redisUrl }: Servers,
    { servesStale = false }: InstanceOptions,
    style: Style,
  ): Promise<Bentocache> {
    const source = new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: [User, Note],
      poolSize: 5,
    });
    await source.initialize();
    const { hostname: host, port } = new URL(redisUrl);
    const connection = { host, port: Number(port) };
    const bento = createBento(connection, servesStale);
    await withSubscribers(connection, async (subscribers) => {
      const others = await subscribers();
      // The bus subscribes at first use, in the background.
      bento.use();
      await eventually(async () => expectMore(await subscribers(), others));
    });
    return new Bentocache(source, bento, connection, style);
  }

  read(query: QueryName): Promise<string> {
    return this.readIn(this.source.manager, query);
  }

  async readIn(manager: EntityManager, query: QueryName): Promise<string> {
    const rows = await this.bento.getOrSet({
      key: query,
      ttl: TTL_MS,
      factory: () => QUERIES[query].build(manager).getMany(),
      ...(this.style === 'tags' ? { tags: [QUERIES[query].table] } : {}),
    });
    return answerText(rows);
  }

  async invalidate(queries: readonly QueryName[]): Promise<void> {
    if (queries.length === 0) return;
    if (this.style === 'keys') {
      await this.bento.deleteMany({ keys: [...queries] });
    } else {
      await this.bento.deleteByTag({ tags: queries.map((query) => QUERIES[query].table) });
    }
  }

  invalidationReceived(queries: readonly QueryName[]): Promise<void> {
    const awaited = new Set<string>(
      this.style === 'keys' ? queries : queries.map((query) => TAG_KEY + QUERIES[query].table),
    );
    const type = this.style === 'keys' ? 'delete' : 'set';
    return new Promise((resolve) => {
      this.bento.on('bus:message:received', ({ message }) => {
        if (message.type === type) for (const key of message.keys) awaited.delete(key);
        // The message is applied after its listeners have run, in the same turn.
        if (awaited.size === 0) setImmediate(resolve);
      });
    });
  }

  /** Holds for the only instance that can reach Redis. */
  whenListening(): Promise<void> {
    return withSubscribers(this.connection, (subscribers) =>
      eventually(async () => expectMore(await subscribers(), 0)),
    );
  }

  async stop(): Promise<void> {
    await this.bento.disconnect().catch(() => undefined);
    await this.source.destroy();
  }
}

function createBento(connection: RedisOptions, servesStale: boolean) {
  return new BentoCache({
    default: 'queries',
    ...(servesStale ? { grace: GRACE_MS } : {}),
    stores: {
      queries: bentostore()
        .useL1Layer(memoryDriver({ maxSize: '10mb' }))
        .useL2Layer(redisDriver({ connection }))
        .useBus(redisBusDriver({ connection })),
    },
  });
}

type Subscribers = () => Promise<number>;

/** Lends a count of the instances that are subscribed to the bus. */
async function withSubscribers(
  connection: RedisOptions,
  work: (subscribers: Subscribers) => Promise<void>,
): Promise<void> {
  const redis = new Redis(connection);
  redis.on('error', () => undefined);
  try {
    await work(async () => Number((await redis.pubsub('NUMSUB', BUS_CHANNEL))[1]));
  } finally {
    redis.disconnect();
  }
}

function expectMore(count: number, than: number): void {
  if (count <= than) throw new Error('The bus has not subscribed');
}
