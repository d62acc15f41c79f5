import type { DataSource, EntitySubscriberInterface } from 'typeorm';
import type { CatalogCache } from '../database/catalog-cache.js';
import { nameOf } from '../database/data-source-name.js';
import { FOLLOWS_WRITES_ALONE } from '../queries/direct-read.js';

/** Refuses writes over a data source whose writes are not followed: its stored answers would become stale. */
export class ReadOnlyGuard implements EntitySubscriberInterface {
  readonly [FOLLOWS_WRITES_ALONE] = true;

  constructor(
    private readonly source: DataSource,
    private readonly schema: Pick<CatalogCache, 'analyser'>,
  ) {}

  /** @throws Error for a statement that may write. */
  beforeQuery({ query }: { readonly query: string }): void {
    const { kind } = this.schema.analyser.statement(query);
    if (kind === 'read' || kind === 'transaction') return;
    throw new Error(
      `A statement that may write was sent over the data source ${nameOf(this.source)}, and QueryCacheModule option ` +
        '`readOnly` says that nothing is written over it: import CacheInvalidationModule.forRoot() instead of ' +
        '`readOnly`, or write over another data source.',
    );
  }
}
