/**
 * Waits for the transactions that must end before an epoch counts (settlement.ts defines them).
 *
 * Such a transaction may last for hours and belong to any client. So reads wait for an epoch only once and briefly, one
 * query to PostgreSQL serves all epochs, and the pauses between two queries grow.
 */
import type { CacheEvents } from './ports/cache-events.js';
import { pause, within, type Timers } from './ports/clock.js';
import type { VersionStore } from './ports/version-store.js';
import type { WriterActivity, Writers } from './ports/writer-activity.js';

export interface EpochWaitsOptions {
  /** First pause between two queries about the same transactions, in milliseconds; each next pause is twice as long. */
  readonly pollMs: number;
  /** Longest such pause, in milliseconds. */
  readonly maxPollMs: number;
  /** How long reads wait for an epoch before they query the database, in milliseconds. */
  readonly waitMs: number;
}

export interface EpochWaitsParts {
  readonly store: VersionStore;
  readonly activity: WriterActivity;
  readonly events: CacheEvents;
  readonly timers: Timers;
}

/** The wait for the transactions that must end before one epoch counts. */
interface Wait {
  /** The transactions that have not ended yet. */
  pending: Writers;
  /** Whether reads have waited in vain. */
  isLate: boolean;
  /** The wait that all reads share. */
  ofReads: Promise<boolean>;
}

const NO_WRITERS: Writers = new Map();

export class EpochWaits {
  readonly #waits = new Map<string, Wait>();
  /** The next query, not sent yet. */
  #question: Promise<Writers> | undefined;
  #pauseMs = 0;
  #isClosed = false;
  #emitted = '';

  constructor(
    private readonly parts: EpochWaitsParts,
    private readonly options: EpochWaitsOptions,
  ) {}

  /** The waits that have not ended, by table and epoch. */
  get waits(): ReadonlyMap<string, Readonly<Wait>> {
    return this.#waits;
  }

  /** The transactions because of which reads bypass the cache, ordered by process id. */
  get awaited(): Writers {
    const late = [...this.waits.values()].filter(({ isLate }) => isLate);
    return new Map(late.flatMap(({ pending }) => [...pending]).toSorted(([a], [b]) => a - b));
  }

  /**
   * Lets a settling epoch count once the transactions that have written by now have ended. Resolves to whether it may
   * count now. Calls for one epoch share one wait of `waitMs`; after that wait ended in vain, they are answered
   * immediately. Rejects on an outage, after which the next call starts again.
   */
  settle(table: string, epoch: string): Promise<boolean> {
    const id = `${table} ${epoch}`;
    const known = this.#waits.get(id);
    if (known) return known.ofReads;
    const wait: Wait = { pending: NO_WRITERS, isLate: false, ofReads: Promise.resolve(false) };
    this.#waits.set(id, wait);
    const settled = this.#settle(wait, table, epoch).finally(() => {
      this.#waits.delete(id);
      this.#emitAwaited();
    });
    wait.ofReads = this.#waitAMoment(wait, settled);
    return wait.ofReads;
  }

  close(): void {
    this.#isClosed = true;
  }

  async #waitAMoment(wait: Wait, settled: Promise<void>): Promise<boolean> {
    if (await within(this.parts.timers, this.options.waitMs, settled)) return true;
    wait.isLate = true;
    this.#emitAwaited();
    return false;
  }

  async #settle(wait: Wait, table: string, epoch: string): Promise<void> {
    const { store, activity, events } = this.parts;
    this.#pauseMs = this.options.pollMs;
    wait.pending = await activity.writers();
    while (wait.pending.size > 0) {
      this.#emitAwaited();
      const now = await this.#askLater();
      if (this.#isClosed) return;
      wait.pending = new Map([...wait.pending].filter(([pid, was]) => now.get(pid)?.id === was.id));
      // Another instance may have let it count, or lost data may have replaced it.
      const [reading] = await store.read([{ table, names: [] }]);
      if (reading?.epoch !== epoch) return;
    }
    if (await store.settleEpoch(table, epoch)) events.emitSafely('epochSettled', { table });
  }

  /** Queries the writers after a pause. Every caller began to wait before the query is sent. */
  #askLater(): Promise<Writers> {
    this.#question ??= (async () => {
      const pauseMs = this.#pauseMs;
      this.#pauseMs = Math.min(2 * pauseMs, this.options.maxPollMs);
      await pause(this.parts.timers, pauseMs);
      this.#question = undefined;
      return this.#isClosed ? NO_WRITERS : this.parts.activity.writers();
    })();
    return this.#question;
  }

  #emitAwaited(): void {
    const { awaited } = this;
    const text = textOf(awaited);
    if (text === this.#emitted) return;
    this.#emitted = text;
    this.parts.events.emitSafely('awaiting', { transactions: awaited });
  }
}

function textOf(writers: Writers): string {
  return [...writers].map(([pid, { id }]) => `${pid} ${id}`).join();
}
