import type { WriteMark } from '../../core/ports/version-store.js';
import { RedisSlotError } from '../connection/redis.errors.js';
import type { DataCanary } from '../data-canary.js';
import type { RedisKeys } from '../redis-keys.js';
import { RedisVersionStore } from '../redis-version-store.js';
import type { BucketLink } from './bucket-link.js';
import type { EpochDeletion } from './epoch-deletion.js';

export interface BucketVersionStoreParts {
  readonly link: BucketLink;
  readonly keys: RedisKeys;
  readonly canary: DataCanary;
  readonly deletion: EpochDeletion;
}

/** The versions of one bucket. While its slot is being moved, only writes are possible. */
export class BucketVersionStore extends RedisVersionStore {
  constructor(private readonly parts: BucketVersionStoreParts) {
    super(parts.link, parts.keys, parts.canary);
  }

  override async begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    try {
      await super.begin(mark, token, leaseMs);
    } catch (error) {
      if (!(error instanceof RedisSlotError)) throw error;
      const { link, keys, deletion } = this.parts;
      // Older data that comes back with the slot would contain the epochs.
      link.distrust(error.message);
      await deletion.delete(mark.tables.map(({ table }) => keys.epoch(table)));
    }
  }
}
