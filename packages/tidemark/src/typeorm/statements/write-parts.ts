import type { DataSource } from 'typeorm';
import type { CaptureParts } from '../../postgres/capture/capture-parts.js';
import type { CatalogCache } from '../database/catalog-cache.js';

/** The parts that most classes of the write side use. */
export interface WriteParts extends CaptureParts {
  readonly source: DataSource;
  readonly schema: CatalogCache;
  /** Whether other processes, including earlier ones, use the same version store. */
  readonly isStoreShared: boolean;
}
