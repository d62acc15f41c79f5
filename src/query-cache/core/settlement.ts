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
import { AwaitedTransactions } from './awaited-transactions.js';
import type { CacheEvents, EpochCause } from './cache-events.js';
import type { Clock, Timers } from './clock.js';
import { EpochWaits, type EpochWaitsOptions } from './epoch-waits.js';
import type { TokenSource } from './token.js';
import type { VersionStore } from './version-store.js';
import type { WriterActivity } from './writer-activity.js';

export interface SettlementOptions extends EpochWaitsOptions {
  /** Lease of a mark that is renewed, in milliseconds on the store's clock. */
  readonly leaseMs: number;
}

export class Settlement {
  /** Those that keep epochs from counting. */
  readonly awaited: AwaitedTransactions;
  readonly #epochs: EpochWaits;
  readonly #inspections = new Map<string, Promise<void>>();
  readonly #nextInspectionMs = new Map<string, number>();

  constructor(
    private readonly store: VersionStore,
    private readonly activity: WriterActivity,
    private readonly events: CacheEvents,
    private readonly token: TokenSource,
    private readonly clock: Clock,
    timers: Timers,
    private readonly options: SettlementOptions,
  ) {
    this.awaited = new AwaitedTransactions(events);
    this.#epochs = new EpochWaits(store, activity, events, this.awaited, timers, options);
  }

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

  /** Settles an epoch in the background; {@link EpochWaits.settle} says for how long a call waits. */
  settleEpoch(table: string, settling: string): Promise<boolean> {
    return this.#epochs.settle(table, settling);
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
    const { leaseMs, pollMs } = this.options;
    const report = await this.store.inspect({ table, names });
    let dueMs = report.nextExpiryMs;
    if (report.expired.length > 0) {
      const writers = await this.activity.writers();
      for (const { writeId, backendPid, seenTransactionId } of report.expired) {
        const transaction = writers.get(backendPid);
        const hasEnded =
          transaction === undefined ||
          (seenTransactionId !== undefined && seenTransactionId !== transaction.id);
        if (hasEnded) {
          if (await this.store.settle(table, writeId, this.token())) {
            this.events.tell('markSettled', { table });
          }
        } else {
          await this.store.renew(table, writeId, transaction.id, leaseMs);
          this.events.tell('markRenewed', { table });
          dueMs ??= leaseMs;
        }
      }
    }
    const nowMs = this.clock.nowMs();
    this.#nextInspectionMs.set(table, nowMs + Math.max(Math.min(dueMs ?? 0, leaseMs), pollMs));
  }

  /** All that decides when epochs will count, in words. */
  describe(): string {
    return this.#epochs.describe();
  }

  /** Ends waits that nobody needs any more. */
  close(): void {
    this.#epochs.close();
  }
}
