import type { CacheEvents } from './cache-events.js';
import type { WritingTransaction } from './writer-activity.js';

/** Transactions by the process id of their backend. */
export type Writers = ReadonlyMap<number, WritingTransaction>;

/** More are counted, not named. */
const MAX_NAMED = 3;

/** The transactions of PostgreSQL for which reads go past the cache. Emits whenever they change. */
export class AwaitedTransactions {
  readonly #bySource = new Map<string, Writers>();
  #current: Writers = new Map();

  constructor(private readonly events: CacheEvents) {}

  get current(): Writers {
    return this.#current;
  }

  /** Which they are and how to end one, in words; `undefined`: there are none. */
  get degradation(): string | undefined {
    const [first] = this.#current.keys();
    if (first === undefined) return undefined;
    const names = [...this.#current].slice(0, MAX_NAMED).map(nameOf);
    const more = this.#current.size - names.length;
    if (more > 0) names.push(`${more} more`);
    return (
      'Reads of some tables go past the cache until transactions have ended that may have written to ' +
      `them: ${names.join(', ')}. To end one: SELECT pg_terminate_backend(${first})`
    );
  }

  /** What `source` waits for from now on; an empty map: nothing. */
  set(source: string, writers: Writers): void {
    if (writers.size > 0) this.#bySource.set(source, writers);
    else this.#bySource.delete(source);
    const before = idsOf(this.#current);
    this.#current = new Map(
      [...this.#bySource.values()].flatMap((of) => [...of]).toSorted(([a], [b]) => a - b),
    );
    if (idsOf(this.#current) !== before) {
      this.events.tell('awaiting', { transactions: this.#current });
    }
  }
}

function idsOf(writers: Writers): string {
  return [...writers].map(([pid, { id }]) => `${pid} ${id}`).join();
}

function nameOf([pid, { application, since }]: [number, WritingTransaction]): string {
  const begun = since === undefined ? '' : `, since ${since}`;
  return `process ${pid} (application ${JSON.stringify(application)}${begun})`;
}
