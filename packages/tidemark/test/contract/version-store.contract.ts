import { epochsOfVersionStore } from './version-store-epochs.contract.js';
import { leasesOfVersionStore } from './version-store-leases.contract.js';
import { readsOfVersionStore } from './version-store-reads.contract.js';
import { PresentStore, type VersionStoreUnderTest } from './version-store-tests.js';
import { writesOfVersionStore } from './version-store-writes.contract.js';

/** What every version store has to do, in memory or shared. */
export function versionStoreContract(open: () => Promise<VersionStoreUnderTest>): void {
  const on = new PresentStore(open);
  readsOfVersionStore(on);
  writesOfVersionStore(on);
  leasesOfVersionStore(on);
  epochsOfVersionStore(on);
}
