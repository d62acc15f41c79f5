/**
 * Settling: resolves doubt by asking PostgreSQL, never by guessing.
 *
 * Marks. A mark with an expired lease belongs to a writer that was killed, paused or cut off, or whose COMMIT still
 * waits in the server. The reader or the sweep that finds it asks PostgreSQL which backends are in a transaction that
 * has written. If the mark's backend is not among them, the transaction has ended: the mark is removed and the versions
 * are replaced. If it is among them, the mark gets another lease that records the transaction's id; a different id at
 * the next check proves that the marked transaction has ended too. The result depends on no clock of this process or of
 * PostgreSQL.
 *
 * Epochs. A new epoch is settling, because marks of open writes may have been lost with the old data. After the epoch
 * was replaced, PostgreSQL is asked for the transactions that have written; a transaction that writes later puts its
 * mark on the new data. Once all of them have ended, the epoch counts.
 */
import type { EpochCause } from './ports/cache-events.js';
import { pause, type Clock } from './ports/clock.js';
import { EpochWaits, type EpochWaitsOptions, type EpochWaitsParts } from './epoch-waits.js';
import type { TokenSource } from './versions.js';
import type { ExpiredMark } from './ports/version-store.js';
import type { Writers } from './ports/writer-activity.js';

export interface SettlementOptions extends EpochWaitsOptions {
  /** Lease of a mark that is renewed, in milliseconds on the store's clock. */
  readonly leaseMs: number;
}

export interface SettlementParts extends EpochWaitsParts {
  readonly token: TokenSource;
  readonly clock: Clock;
}

export class Settlement {
  readonly epochs: EpochWaits;
  readonly #inspections = new Map<string, Promise<void>>();
  readonly #nextInspectionMs = new Map<string, number>();
  #isClosed = false;

  constructor(
    private readonly parts: SettlementParts,
    private readonly options: SettlementOptions,
  ) {
    this.epochs = new EpochWaits(parts, options);
  }

  /** Replaces an epoch that cannot be trusted, unless another instance has already done so. */
  async replaceEpoch(
    table: string,
    observed: string | undefined,
    cause: EpochCause,
  ): Promise<void> {
    const { store, token, events } = this.parts;
    if (await store.rotate(table, observed, token())) {
      events.emitSafely('epochReplaced', { table, cause });
    }
  }

  /**
   * Settles the expired marks of a table in whose versions a reader found doubt. Cheap enough to call on every such
   * read: one run at a time, and none before a lease can have expired.
   */
  async settleMarks(table: string, names: readonly string[]): Promise<void> {
    const running = this.#inspections.get(table);
    if (running) return running;
    if (this.parts.clock.nowMs() < (this.#nextInspectionMs.get(table) ?? 0)) return;
    const inspection = this.#inspect(table, names).finally(() => this.#inspections.delete(table));
    this.#inspections.set(table, inspection);
    return inspection;
  }

  /**
   * Periodically settles the marks that no reader finds; their versions have no time to live and would stay. Ends on
   * `close`. Never rejects.
   */
  async sweep(pauseMs: number): Promise<void> {
    const { store, timers } = this.parts;
    for (;;) {
      await pause(timers, pauseMs);
      if (this.#isClosed) return;
      // A server that is unavailable concerns its own tables; the next sweep tries them again.
      const tables = await store.tables().catch(() => []);
      for (const table of tables) await this.settleMarks(table, []).catch(() => undefined);
    }
  }

  /** Ends the sweep, and the waits, which no reader needs any more. */
  close(): void {
    this.#isClosed = true;
    this.epochs.close();
  }

  async #inspect(table: string, names: readonly string[]): Promise<void> {
    const { leaseMs, pollMs } = this.options;
    const { store, activity, clock } = this.parts;
    const report = await store.inspect({ table, names });
    let dueMs = report.nextExpiryMs;
    if (report.expired.length > 0) {
      const writers = await activity.writers();
      for (const mark of report.expired) {
        if (await this.#isRenewed(table, mark, writers)) dueMs ??= leaseMs;
      }
    }
    const waitMs = Math.max(Math.min(dueMs ?? 0, leaseMs), pollMs);
    this.#nextInspectionMs.set(table, clock.nowMs() + waitMs);
  }

  /** Renews the lease of a mark whose transaction is still open, and removes any other mark. */
  async #isRenewed(table: string, mark: ExpiredMark, writers: Writers): Promise<boolean> {
    const { store, events, token } = this.parts;
    const { writeId, seenTransactionId } = mark;
    const transaction = writers.get(mark.backendPid);
    const isOther = seenTransactionId !== undefined && seenTransactionId !== transaction?.id;
    if (transaction && !isOther) {
      await store.renew(table, writeId, transaction.id, this.options.leaseMs);
      events.emitSafely('markRenewed', { table });
      return true;
    }
    if (await store.settle(table, writeId, token())) events.emitSafely('markSettled', { table });
    return false;
  }
}
