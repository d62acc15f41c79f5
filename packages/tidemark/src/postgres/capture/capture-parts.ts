import type { CacheEvents } from '../../core/ports/cache-events.js';
import type { VersionStore } from '../../core/ports/version-store.js';
import type { Catalog } from '../../core/table-facts.js';
import type { WriteProtocol } from '../../core/write-protocol.js';
import type { OutboxObjects } from './outbox-objects.js';

/** `unknown`: the schema version cannot be read or trusted. */
export type SchemaCurrency = 'current' | 'outdated' | 'unknown';

/** The current catalog, which may be outdated. */
export interface CatalogSource {
  readonly catalog: Catalog;
  readonly isOutdated: boolean;
  markOutdated(): void;
  /** Loads the catalog if it is outdated. */
  load(): Promise<void>;
  /** Whether an instance has seen a later schema change. */
  currency(): Promise<SchemaCurrency>;
  /** Whether it is `current`. */
  isCurrent(): Promise<boolean>;
}

/** The parts that most classes of the capture share. */
export interface CaptureParts {
  readonly store: VersionStore;
  readonly schema: CatalogSource;
  readonly events: CacheEvents;
  readonly protocol: WriteProtocol;
  readonly objects: OutboxObjects;
  readonly log: { log(message: string): void; warn(message: string): void };
}
