import { it } from '@jest/globals';
import { versionStoreCases, type VersionStoreUnderTest } from '../../src/testing/index.js';

/** What every version store has to do, in memory or shared. */
export function versionStoreContract(open: () => Promise<VersionStoreUnderTest>): void {
  it.each(versionStoreCases)('$title', ({ run }) => run(open));
}
