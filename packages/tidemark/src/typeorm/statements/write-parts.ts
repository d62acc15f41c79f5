import type { DataSource } from 'typeorm';
import type { CaptureParts } from '../../postgres/capture/capture-parts.js';
import type { CatalogCache } from '../database/catalog-cache.js';

/** The parts of the write side that most of its classes use. */
export interface WriteParts extends CaptureParts {
  readonly source: DataSource;
  readonly schema: CatalogCache;
  /** Whether other processes, and earlier ones, use the version store too. */
  readonly isStoreShared: boolean;
}
