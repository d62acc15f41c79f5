/** Steps over the buckets of a version store, each of which fails alone. */
import type { TableVersionNames, VersionStore } from './ports/version-store.js';
import type { TokenSource } from './versions.js';

/** A bucket in which a step failed: its outcome there is unknown. */
export interface BucketFailure {
  readonly bucket: number;
  readonly cause: unknown;
}

export interface ReplacementParts {
  readonly store: VersionStore;
  readonly token: TokenSource;
  /** Lease of the mark between the two steps, in milliseconds on the store's clock. */
  readonly leaseMs: number;
}

/**
 * The table that stands for `name` in one bucket. A name of this kind has no dot, unlike those of real tables. In bucket
 * 0 it is the name itself.
 */
export function inBucket(name: `#${string}`, bucket: number): string {
  return bucket === 0 ? name : `${name}/${bucket}`;
}

export function allBuckets({ buckets }: Pick<VersionStore, 'buckets'>): readonly number[] {
  return Array.from({ length: buckets }, (_, bucket) => bucket);
}

/** Takes the step for the tables of each bucket, all at once. */
export async function inBuckets(
  store: Pick<VersionStore, 'bucketOf'>,
  tables: readonly TableVersionNames[],
  step: (tables: readonly TableVersionNames[]) => Promise<void>,
): Promise<readonly BucketFailure[]> {
  const parts = new Map<number, TableVersionNames[]>();
  for (const versions of tables) {
    const bucket = store.bucketOf(versions.table);
    const part = parts.get(bucket);
    if (part) part.push(versions);
    else parts.set(bucket, [versions]);
  }
  const buckets = [...parts.keys()];
  const outcomes = await Promise.allSettled([...parts.values()].map(step));
  return outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected'
      ? [{ bucket: buckets[index] ?? 0, cause: outcome.reason as unknown }]
      : [],
  );
}

/**
 * Replaces versions for a write that has been committed, or that needs no transaction: there is no open writer to wait
 * for.
 */
export function replaceVersions(
  { store, token, leaseMs }: ReplacementParts,
  tables: readonly TableVersionNames[],
): Promise<readonly BucketFailure[]> {
  const writeId = token();
  return inBuckets(store, tables, async (part) => {
    await store.begin({ writeId, backendPid: 0, tables: part }, token(), leaseMs);
    await store.end(
      writeId,
      part.map(({ table }) => table),
      token(),
    );
  });
}

/** Rejects if a step failed in any bucket. */
export async function requireAll(failures: Promise<readonly BucketFailure[]>): Promise<void> {
  const [failure] = await failures;
  if (failure) throw failure.cause;
}

/** Runs all steps at once; settles after all of them, so that no step is still in flight. Rejects with the first failure. */
export async function settledSteps(steps: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(steps);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}
