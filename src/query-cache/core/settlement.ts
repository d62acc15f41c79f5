/**
 * Settling: ending doubt by asking PostgreSQL, never by guessing.
 *
 * Marks. A mark whose lease has run out belongs to a writer that was killed, paused or cut off,
 * or whose COMMIT still waits in the server. Whoever meets it asks which backends are in a
 * transaction that has written. Its backend not among them: the transaction has ended, the mark
 * is taken off and the versions are replaced. Among them: another lease, remembering the
 * transaction's identity; if the backend shows a different one the next time, the marked
 * transaction has ended too. No clock of this process or of PostgreSQL takes part.
 *
 * Epochs. A new epoch is born settling, because marks of writes under way may have been lost with
 * the old data. The transactions that had written are asked for after the epoch was replaced; a
 * transaction that writes later puts its mark on the new data. Once all of them have ended, the
 * epoch counts.
 */
import type { CacheEvents, EpochCause } from './cache-events.js';
import { pause, type Clock, type Timers } from './clock.js';
import type { TokenSource } from './token.js';
import type { VersionStore } from './version-store.js';
import type { WriterActivity } from './writer-activity.js';

export interface SettlementOptions {
  /** Lease of a mark that is renewed, in milliseconds on the store's clock. */
  readonly leaseMs: number;
  /** Pause between two questions about the same transactions, in milliseconds. */
  readonly pollMs: number;
}

export class Settlement {
  readonly #epochs = new Map<string, Promise<void>>();
  readonly #inspections = new Map<string, Promise<void>>();
  readonly #nextInspectionMs = new Map<string, number>();
  #closed = false;

  constructor(
    private readonly store: VersionStore,
    private readonly activity: WriterActivity,
    private readonly events: CacheEvents,
    private readonly token: TokenSource,
    private readonly clock: Clock,
    private readonly timers: Timers,
    private readonly options: SettlementOptions,
  ) {}

  /** Replaces an epoch that cannot be trusted. Answers once it has been replaced, by anyone. */
  async replaceEpoch(
    table: string,
    observed: string | undefined,
    cause: EpochCause,
  ): Promise<void> {
    if (await this.store.rotate(table, observed, this.token())) {
      this.events.tell('epochReplaced', { table, cause });
    }
  }

  /** Waits until the settling epoch counts. Calls for one table share the wait; rejects on an outage. */
  settleEpoch(table: string, settling: string): Promise<void> {
    const id = `${table} ${settling}`;
    let wait = this.#epochs.get(id);
    if (!wait) {
      wait = this.#awaitWriters(table, settling).finally(() => this.#epochs.delete(id));
      this.#epochs.set(id, wait);
    }
    return wait;
  }

  async #awaitWriters(table: string, settling: string): Promise<void> {
    let pending = await this.activity.writers();
    while (pending.size > 0) {
      if (this.#closed) return;
      await pause(this.timers, this.options.pollMs);
      const now = await this.activity.writers();
      pending = new Map([...pending].filter(([pid, id]) => now.get(pid) === id));
    }
    if (await this.store.settleEpoch(table, settling)) this.events.tell('epochSettled', { table });
  }

  /**
   * Looks after the marks of a table in whose versions a reader found doubt. Cheap to call on
   * every such read: it runs at most once at a time, and not before a lease can have run out.
   */
  settleMarks(table: string, names: readonly string[]): Promise<void> {
    const running = this.#inspections.get(table);
    if (running) return running;
    if (this.clock.nowMs() < (this.#nextInspectionMs.get(table) ?? 0)) return Promise.resolve();
    const inspection = this.#inspect(table, names).finally(() => this.#inspections.delete(table));
    this.#inspections.set(table, inspection);
    return inspection;
  }

  async #inspect(table: string, names: readonly string[]): Promise<void> {
    const report = await this.store.inspect({ table, names });
    if (report.expired.length > 0) {
      const writers = await this.activity.writers();
      for (const mark of report.expired) {
        const transaction = writers.get(mark.backendPid);
        const hasEnded =
          transaction === undefined ||
          (mark.seenTransactionId !== undefined && mark.seenTransactionId !== transaction);
        if (hasEnded) {
          if (await this.store.settle(table, mark.writeId, this.token())) {
            this.events.tell('markSettled', { table });
          }
        } else {
          await this.store.renew(table, mark.writeId, transaction, this.options.leaseMs);
          this.events.tell('markRenewed', { table });
        }
      }
    }
    const pauseMs = Math.min(report.nextExpiryMs ?? 0, this.options.leaseMs);
    this.#nextInspectionMs.set(table, this.clock.nowMs() + Math.max(pauseMs, this.options.pollMs));
  }

  /** Ends waits that nobody needs any more. */
  close(): void {
    this.#closed = true;
  }
}
