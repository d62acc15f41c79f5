import type { CacheEvents } from './cache-events.js';
import type { WritingTransaction } from './writer-activity.js';

/** Transactions by the process id of their backend. */
export type Writers = ReadonlyMap<number, WritingTransaction>;

/** Emits for which transactions of PostgreSQL reads go past the cache, whenever that changes. */
export class AwaitedTransactions {
  readonly #bySource = new Map<string, Writers>();
  #emitted = '';

  constructor(private readonly events: CacheEvents) {}

  /** What `source` waits for from now on; without any it waits no more. */
  set(source: string, writers: Writers): void {
    if (writers.size > 0) this.#bySource.set(source, writers);
    else this.#bySource.delete(source);
    const all = new Map(
      [...this.#bySource.values()].flatMap((of) => [...of]).toSorted(([a], [b]) => a - b),
    );
    const ids = [...all].map(([pid, { id }]) => `${pid} ${id}`).join();
    if (ids === this.#emitted) return;
    this.#emitted = ids;
    this.events.tell('awaiting', { transactions: all });
  }
}
