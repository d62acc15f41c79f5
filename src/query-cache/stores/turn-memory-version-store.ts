import type { TableReading, TableVersionNames } from '../core/version-store.js';
import { MemoryVersionStore } from './memory-version-store.js';
import { TurnBatch } from './turn-batch.js';

/**
 * Versions in this process, read at the end of a turn of the event loop for all who asked in it: requests
 * that are answered together cost less than those that are answered one by one.
 */
export class TurnMemoryVersionStore extends MemoryVersionStore {
  readonly #reads = new TurnBatch<readonly TableVersionNames[], readonly TableReading[]>(
    () => Promise.resolve((tables) => this.readNow(tables)),
    setImmediate,
  );

  override read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    return this.#reads.ask(tables);
  }
}
