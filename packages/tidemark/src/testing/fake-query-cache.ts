import type { DataSource } from 'typeorm';
import { CacheEvents } from '../core/ports/cache-events.js';
import { randomToken, WHOLE_TABLE } from '../core/versions.js';
import { QueryCache, type Region } from '../nestjs/query-cache.js';
import {
  PassThroughReader,
  type FakeAnswers,
  type PassThroughParts,
} from './pass-through-reader.js';

type QueryCacheParts = ConstructorParameters<typeof QueryCache>[0];

/** A `QueryCache` that stores nothing. */
export class PassThroughCache extends QueryCache {
  readonly reader: PassThroughReader;

  constructor(parts: PassThroughParts) {
    const reader = new PassThroughReader(parts);
    // Of the other parts, the methods of this class use none.
    super({ events: parts.events, reader } as unknown as QueryCacheParts);
    this.reader = reader;
  }

  /** Emits `invalidated`: nothing is stored. */
  override async invalidate(regions: readonly Region[]): Promise<void> {
    this.events.emitSafely('invalidated', {
      writeId: randomToken(),
      source: 'invalidate',
      origin: undefined,
      statements: [],
      // Values are left out, as they are by default.
      regions: regions.map(({ table }) => ({ table, names: [WHOLE_TABLE] })),
      localEntries: 0,
    });
  }

  /** @throws Error always: only a cache with a database knows what is cached. */
  override explain(): never {
    throw new Error(
      'A cache that passes everything through explains no query: use CacheTestingModule.inMemory().',
    );
  }

  /** Nothing is compiled. */
  override async explainNamed(): Promise<undefined> {}
}

/**
 * A `QueryCache` for unit tests without database, Redis and Nest. `run` answers each query with the given answer.
 *
 * ```ts
 * const service = new UsersService(fakeQueryCache({ 'users.in-region': [{ id: 1, username: 'ada' }] }));
 * ```
 *
 * @param answers by the names of the queries: the answer, or a function that makes it from the parameters. The answer is
 *   what `run` resolves with, so after `map`. A function that throws makes `run` reject.
 * @param source runs the queries that have no answer; a stub is enough
 */
export function fakeQueryCache(answers: FakeAnswers = {}, source?: DataSource): QueryCache {
  return new PassThroughCache({ events: new CacheEvents(), answers, source: () => source });
}
