/**
 * Waits for the transactions that have to end before an epoch counts (settlement.ts says which).
 *
 * Such a transaction may last for hours, and may be anyone's. So reads wait for an epoch once and for a moment, one
 * question to PostgreSQL serves all epochs, and the pauses between two questions grow.
 */
import type { CacheEvents } from './ports/cache-events.js';
import { pause, within, type Timers } from './ports/clock.js';
import type { VersionStore } from './ports/version-store.js';
import type { WriterActivity, Writers } from './ports/writer-activity.js';

export interface EpochWaitsOptions {
  /** First pause between two questions about the same transactions, in milliseconds; each next one is twice as long. */
  readonly pollMs: number;
  /** Longest such pause, in milliseconds. */
  readonly maxPollMs: number;
  /** How long reads wait for an epoch before they go to the database, in milliseconds. */
  readonly waitMs: number;
}

export interface EpochWaitsParts {
  readonly store: VersionStore;
  readonly activity: WriterActivity;
  readonly events: CacheEvents;
  readonly timers: Timers;
}

interface Wait {
  /** The transactions that have not ended yet. */
  pending: Writers;
  /** Whether reads have waited in vain. */
  isLate: boolean;
  /** The wait that all reads share. */
  ofReads: Promise<boolean>;
}

const NOBODY: Writers = new Map();

export class EpochWaits {
  /** By table and epoch. */
  readonly #waits = new Map<string, Wait>();
  /** The next one, which is not sent yet. */
  #question: Promise<Writers> | undefined;
  #pauseMs = 0;
  #isClosed = false;
  #emitted = '';

  constructor(
    private readonly parts: EpochWaitsParts,
    private readonly options: EpochWaitsOptions,
  ) {}

  /** The transactions for which reads go past the cache, in the order of their processes. */
  get awaited(): Writers {
    const late = [...this.#waits.values()].filter(({ isLate }) => isLate);
    return new Map(late.flatMap(({ pending }) => [...pending]).toSorted(([a], [b]) => a - b));
  }

  /**
   * Lets a settling epoch count once the transactions that are writing now have ended, and answers whether it may
   * count by now. Calls for one epoch share one wait of `waitMs`; once that has ended in vain they are answered at
   * once. Rejects on an outage, after which the next call begins again.
   */
  settle(table: string, epoch: string): Promise<boolean> {
    const id = `${table} ${epoch}`;
    const known = this.#waits.get(id);
    if (known) return known.ofReads;
    const wait: Wait = { pending: NOBODY, isLate: false, ofReads: Promise.resolve(false) };
    this.#waits.set(id, wait);
    const settled = this.#settle(wait, table, epoch).finally(() => {
      this.#waits.delete(id);
      this.#emitAwaited();
    });
    wait.ofReads = this.#waitAMoment(wait, settled);
    return wait.ofReads;
  }

  /** All that decides how the waits go on, in words. */
  describe(): string {
    return [...this.#waits]
      .map(([id, { pending, isLate }]) => `${id} ${isLate} ${textOf(pending)}`)
      .join('\n');
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

  /** Asks who is writing, after a pause. Every caller began to wait before the question is sent. */
  #askLater(): Promise<Writers> {
    this.#question ??= (async () => {
      const pauseMs = this.#pauseMs;
      this.#pauseMs = Math.min(2 * pauseMs, this.options.maxPollMs);
      await pause(this.parts.timers, pauseMs);
      this.#question = undefined;
      return this.#isClosed ? NOBODY : this.parts.activity.writers();
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
