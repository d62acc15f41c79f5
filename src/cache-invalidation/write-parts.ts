import type { DataSource } from 'typeorm';
import type { CacheEvents, DatabaseSchema, VersionStore } from '../query-cache/index.js';
import type { WriteProtocol } from './core/write-protocol.js';
import type { OutboxObjects } from './outbox/outbox-objects.js';

/** The parts of the write side that most of its classes use. */
export interface WriteParts {
  readonly source: DataSource;
  readonly store: VersionStore;
  /** Whether other processes, and earlier ones, use the version store too. */
  readonly isStoreShared: boolean;
  readonly schema: DatabaseSchema;
  readonly events: CacheEvents;
  readonly protocol: WriteProtocol;
  readonly objects: OutboxObjects;
  readonly log: { log(message: string): void; warn(message: string): void };
}
