import type { DataSource, EntitySubscriberInterface } from 'typeorm';
import type { StatementHooks } from '../../core/ports/write-following.js';
import type { CatalogCache } from '../database/catalog-cache.js';
import { nameOf } from '../database/data-source-name.js';
import { FOLLOWS_WRITES_ALONE } from '../queries/direct-read.js';

/**
 * Refuses writes over a data source whose writes are not followed: its stored answers would become stale. While the data
 * source does not have it, reads go past the cache: `initialize()` replaces the subscribers.
 */
export class ReadOnlyGuard implements EntitySubscriberInterface, StatementHooks {
  readonly blindSpot = undefined;
  readonly [FOLLOWS_WRITES_ALONE] = true;

  constructor(
    private readonly source: DataSource,
    private readonly schema: Pick<CatalogCache, 'analyser'>,
  ) {}

  get gap(): string | undefined {
    const { isInitialized, subscribers } = this.source;
    if (isInitialized && subscribers.includes(this)) return undefined;
    return (
      'the data source was initialised again or after the start, and `readOnly` no longer refuses its writes: ' +
      'initialise it once, before the application starts'
    );
  }

  attach(): void {
    this.source.subscribers.push(this);
  }

  detach(): void {
    const { subscribers } = this.source;
    const at = subscribers.indexOf(this);
    if (at >= 0) subscribers.splice(at, 1);
  }

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
