/** Variants that take the buckets of Redis for one. */
import { ANYTHING, SCHEMA } from '../../../../src/core/schema-version.js';
import type { WrittenVersions } from '../../../../src/core/write-protocol.js';
import type { TransactionLog } from '../../../../src/core/write-set.js';
import { Reader } from '../actors/reader.js';
import { Writer } from '../actors/writer.js';

/** `schema-in-one-bucket`: a write to all tables replaces the version of bucket 0 alone. */
export class SchemaInOneBucketWriter extends Writer {
  protected override written(log: TransactionLog): WrittenVersions {
    const written = super.written(log);
    return written === 'all-tables' ? [{ table: SCHEMA, names: [ANYTHING] }] : written;
  }
}

/** `outage-of-another`: an outage counts for bucket 0, whichever bucket it concerns. */
export class OutageOfAnotherReader extends Reader {
  override distrust(): void {
    super.distrust(0);
  }
}
