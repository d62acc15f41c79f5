/** Tidemark's own modules: nothing is called after a write. */
import type { EntityManager } from 'typeorm';
import { defineQuery } from '../../../packages/tidemark/src/index.js';
import { CachedApplication } from '../../../packages/tidemark/test/support/cached-application.js';
import { Note, User } from '../fixtures/entities.js';
import { answerText, QUERIES, type QueryName } from '../fixtures/queries.js';
import {
  TTL_MS,
  type InstanceOptions,
  type PeerCache,
  type PeerSystem,
  type Servers,
} from './peer-cache.js';

const benchQuery = defineQuery({
  name: 'bench',
  build: (source, query: QueryName) => QUERIES[query].build(source.manager),
});

export const tidemark: PeerSystem = {
  id: 'tidemark',
  title: 'Tidemark',
  keptIn: 'redis',
  invalidatesByItself: true,
  validityKeys: ['*:v:*', '*:e'],
  staleOption: undefined,
  start: (servers, options) => Tidemark.start(servers, options),
};

class Tidemark implements PeerCache {
  private constructor(private readonly application: CachedApplication) {}

  static async start(
    { databaseUrl, redisUrl }: Servers,
    { refusesUnpublished = false }: InstanceOptions,
  ): Promise<Tidemark> {
    return new Tidemark(
      await CachedApplication.start({
        databaseUrl,
        entities: [User, Note],
        cache: { ttlMs: TTL_MS, redis: { url: redisUrl } },
        invalidation: { writePolicy: refusesUnpublished ? 'refuse' : 'commit' },
      }),
    );
  }

  get source() {
    return this.application.source;
  }

  async read(query: QueryName): Promise<string> {
    return answerText(await this.application.cache.run(benchQuery.bind(query)));
  }

  async readIn(manager: EntityManager, query: QueryName): Promise<string> {
    return answerText(await this.application.cache.run(QUERIES[query].build(manager)));
  }

  async invalidate(): Promise<void> {
    // Every write was seen where it was sent.
  }

  stop(): Promise<void> {
    return this.application.stop();
  }
}
