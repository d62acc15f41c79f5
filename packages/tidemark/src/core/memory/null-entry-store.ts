import { EntryStore, type CacheEntry } from '../ports/entry-store.js';

/** The L2 of a service that runs as one process: it has only its L1. */
export class NullEntryStore extends EntryStore {
  override async get(): Promise<CacheEntry | undefined> {
    return undefined;
  }

  override async set(): Promise<void> {}
}
