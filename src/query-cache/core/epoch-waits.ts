/**
 * Waits for the transactions that have to end before an epoch counts (settlement.ts says which).
 *
 * Such a transaction may last for hours, and may be anyone's. So reads wait for an epoch once and for
 * a moment, one question to PostgreSQL serves all epochs, and the pauses between two questions grow.
 */
import type { AwaitedTransactions, Writers } from './awaited-transactions.js';
import type { CacheEvents } from './cache-events.js';
import { pause, type Timers } from './clock.js';
import type { VersionStore } from './version-store.js';
import type { WriterActivity } from './writer-activity.js';

export interface EpochWaitsOptions {
  /** First pause between two questions about the same transactions, in milliseconds. */
  readonly pollMs: number;
  /** Longest such pause, in milliseconds: each is twice as long as the one before. */
  readonly maxPollMs: number;
  /** How long reads wait for an epoch before they go to the database, in milliseconds. */
  readonly waitMs: number;
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
  readonly #waits = new Map<string, Wait>();
  /** The next one, which is not sent yet. */
  #question: Promise<Writers> | undefined;
  #pauseMs = 0;
  #isClosed = false;

  constructor(
    private readonly store: VersionStore,
    private readonly activity: WriterActivity,
    private readonly events: CacheEvents,
    private readonly awaited: AwaitedTransactions,
    private readonly timers: Timers,
    private readonly options: EpochWaitsOptions,
  ) {}

  /**
   * Lets a settling epoch count once the transactions that are writing now have ended, and answers
   * whether it may count by now. Calls for one epoch share one wait of `waitMs`; once that has ended in
   * vain they are answered at once. Rejects on an outage, after which the next call begins again.
   */
  settle(table: string, epoch: string): Promise<boolean> {
    const id = `${table} ${epoch}`;
    const known = this.#waits.get(id);
    if (known) return known.ofReads;
    const wait: Wait = { pending: NOBODY, isLate: false, ofReads: Promise.resolve(false) };
    this.#waits.set(id, wait);
    const settled = this.#settle(id, wait, table, epoch).finally(() => {
      this.#waits.delete(id);
      this.awaited.set(id, NOBODY);
    });
    wait.ofReads = this.#waitAMoment(id, wait, settled);
    return wait.ofReads;
  }

  /** All that decides how the waits go on, in words. */
  describe(): string {
    return [...this.#waits]
      .map(([id, { pending, isLate }]) => {
        const transactions = [...pending].map(
          ([pid, { id: transaction }]) => `${pid} ${transaction}`,
        );
        return `${id} ${isLate} ${transactions.join()}`;
      })
      .join('\n');
  }

  /** Ends the waits, which nobody needs any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #waitAMoment(id: string, wait: Wait, settled: Promise<void>): Promise<boolean> {
    let stopWaiting = (): void => undefined;
    const enough = new Promise<boolean>((resolve) => {
      stopWaiting = this.timers.after(this.options.waitMs, () => {
        wait.isLate = true;
        this.awaited.set(id, wait.pending);
        resolve(false);
      });
    });
    try {
      return await Promise.race([settled.then(() => true), enough]);
    } finally {
      stopWaiting();
    }
  }

  async #settle(id: string, wait: Wait, table: string, epoch: string): Promise<void> {
    this.#pauseMs = this.options.pollMs;
    wait.pending = await this.activity.writers();
    while (wait.pending.size > 0) {
      if (wait.isLate) this.awaited.set(id, wait.pending);
      const now = await this.#askLater();
      if (this.#isClosed) return;
      wait.pending = new Map([...wait.pending].filter(([pid, was]) => now.get(pid)?.id === was.id));
      // Another instance may have let it count, or lost data may have replaced it.
      const [reading] = await this.store.read([{ table, names: [] }]);
      if (reading?.epoch !== epoch) return;
    }
    if (await this.store.settleEpoch(table, epoch)) this.events.tell('epochSettled', { table });
  }

  /** Asks who is writing, after a pause. Whoever waits for the answer began to before it was sent. */
  #askLater(): Promise<Writers> {
    this.#question ??= (async () => {
      const pauseMs = this.#pauseMs;
      this.#pauseMs = Math.min(2 * pauseMs, this.options.maxPollMs);
      await pause(this.timers, pauseMs);
      this.#question = undefined;
      return this.#isClosed ? NOBODY : this.activity.writers();
    })();
    return this.#question;
  }
}
