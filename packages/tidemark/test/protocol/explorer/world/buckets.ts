/**
 * The buckets of Redis, each on a server of its own. Users and the orders of users lie in two buckets, if there are two.
 */
import { schemaTables } from '../../../../src/core/schema-version.js';
import { ORDERS, USERS } from '../actors/statements.js';

/** The tables in use, with the copies of the schema's version. */
export function tablesIn(bucket: number, buckets: number): readonly string[] {
  return [USERS, ORDERS, ...schemaTables({ buckets })].filter(
    (table) => bucketOf(table, buckets) === bucket,
  );
}

/** Users lie in the last bucket, beside a copy that is not the first. */
export function bucketOf(table: string, buckets: number): number {
  if (table === USERS) return buckets - 1;
  const copy = schemaTables({ buckets }).indexOf(table);
  return Math.max(copy, 0);
}

/** For traces. As in the names of tables, bucket 0 is not named. */
export function labelIn(bucket: number, label: string): string {
  return bucket === 0 ? label : `${label} in bucket ${bucket}`;
}
