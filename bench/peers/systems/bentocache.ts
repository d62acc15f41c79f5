/**
 * Bentocache with memory, Redis and a bus between instances, as its documentation has it for more
 * than one instance: once with keys deleted after a write, once with tags (a tag a table).
 * https://bentocache.dev/docs/multi-tier, https://bentocache.dev/docs/tagging
 */
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis';
import { EventEmitter, once } from 'node:events';
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
  readonly #notices = new EventEmitter();

  private constructor(
    readonly source: DataSource,
    private readonly bento: ReturnType<typeof createBento>,
    private readonly style: Style,
  ) {
    bento.on('bus:message:received', ({ message }) => {
      const isInvalidation =
        message.type === 'delete' || message.keys.some((key) => key.startsWith(TAG_KEY));
      // The listener runs before the message has been applied; it is in the same turn.
      if (isInvalidation) setImmediate(() => this.#notices.emit('notice'));
    });
  }

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
    await whenSubscribed(connection, () => bento.use());
    return new Bentocache(source, bento, style);
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

  async nextNotice(): Promise<void> {
    await once(this.#notices, 'notice');
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

/** The bus subscribes at first use, in the background; what is sent before that is not heard. */
async function whenSubscribed(connection: RedisOptions, use: () => unknown): Promise<void> {
  const redis = new Redis(connection);
  const subscribers = async (): Promise<unknown> =>
    (await redis.pubsub('NUMSUB', 'bentocache.notifications:queries'))[1];
  try {
    const before = Number(await subscribers());
    use();
    await eventually(async () => {
      if (Number(await subscribers()) <= before) throw new Error('The bus has not subscribed');
    });
  } finally {
    redis.disconnect();
  }
}
