import { it } from 'vitest';
import { versionStoreCases, type VersionStoreUnderTest } from '../../src/testing/index.js';

/** The contract of every version store, in memory or shared. */
export function versionStoreContract(open: () => Promise<VersionStoreUnderTest>): void {
  it.each(versionStoreCases)('$title', ({ run }) => run(open));
}
