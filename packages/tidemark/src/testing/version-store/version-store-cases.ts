/** The contract of every version store, in memory or shared: cases for any test runner. */
import { EPOCHS } from './epochs.js';
import { LEASES } from './leases.js';
import { READS } from './reads.js';
import type { VersionStoreCase } from './version-store-case.js';
import { WRITES } from './writes.js';

export type { VersionStoreCase, VersionStoreUnderTest } from './version-store-case.js';

/**
 * The contract of a version store.
 *
 * ```ts
 * for (const { title, run } of versionStoreCases) it(title, () => run(openMyStore));
 * ```
 */
export const versionStoreCases: readonly VersionStoreCase[] = [
  ...READS,
  ...WRITES,
  ...LEASES,
  ...EPOCHS,
];
