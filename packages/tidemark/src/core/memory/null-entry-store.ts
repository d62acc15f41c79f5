import { EntryStore } from '../ports/entry-store.js';

/** The L2 of a service that runs as one process: its L1 is all there is. */
export class NullEntryStore extends EntryStore {
  override async get(): Promise<undefined> {
    return undefined;
  }

  override async set(): Promise<void> {}
}
