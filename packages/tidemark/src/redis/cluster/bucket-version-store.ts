import type { WriteMark } from '../../core/ports/version-store.js';
import { RedisSlotError } from '../connection/redis.errors.js';
import type { DataCanary } from '../data-canary.js';
import type { RedisKeys } from '../redis-keys.js';
import { RedisVersionStore } from '../redis-version-store.js';
import type { BucketLink } from './bucket-link.js';
import type { EpochDeletion } from './epoch-deletion.js';

interface BucketVersionStoreParts {
  readonly link: BucketLink;
  readonly keys: RedisKeys;
  readonly canary: DataCanary;
  readonly deletion: EpochDeletion;
}

/**
 * The versions of one bucket. While its slot is being moved, it cannot be read, and writes are published by deleting the
 * epochs of their tables (epoch-deletion.ts).
 */
export class BucketVersionStore extends RedisVersionStore {
  constructor(private readonly parts: BucketVersionStoreParts) {
    super(parts.link, parts.keys, parts.canary);
  }

  override begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    const tables = mark.tables.map(({ table }) => table);
    return this.#orDelete(tables, super.begin(mark, token, leaseMs));
  }

  override end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    return this.#orDelete(tables, super.end(writeId, tables, token));
  }

  async #orDelete(tables: readonly string[], step: Promise<void>): Promise<void> {
    try {
      await step;
    } catch (error) {
      if (!(error instanceof RedisSlotError)) throw error;
      const { link, keys, deletion } = this.parts;
      // Data from before that come back with the slot would contain the epochs.
      link.distrust(error.message);
      await deletion.delete(tables.map((table) => keys.epoch(table)));
    }
  }
}
