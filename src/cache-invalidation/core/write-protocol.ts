/**
 * The write side of the protocol: `begin` before COMMIT, `end` after it, `abort` after ROLLBACK.
 *
 * `begin` marks the touched regions and replaces their versions, so that from here to `end` their
 * answers are neither served from nor stored in any cache. It is the last thing before COMMIT.
 * `end` replaces the versions again and takes the mark off. Where the outcome of a COMMIT is not
 * known, nothing is said: the mark stays, and once its lease has run out it is settled by asking
 * PostgreSQL (query-cache/core/settlement.ts).
 *
 * When `begin` cannot reach the version store:
 * - policy `refuse`: the write is refused, and nothing has happened;
 * - policy `commit`: the write goes on unannounced. Its tables become a debt of this process: as
 *   soon as the store answers again, their epochs are replaced, which ends every entry of theirs.
 */
import type { CacheEvents } from '../../query-cache/core/cache-events.js';
import type { TokenSource } from '../../query-cache/core/token.js';
import type { TableVersionNames, VersionStore } from '../../query-cache/core/version-store.js';
import type { CommitOutcome } from './commit-outcome.js';
import { WriteRefusedError } from './write-refused.error.js';

export type WritePolicy = 'commit' | 'refuse';

/** A write between `begin` and its end. */
export interface Announcement {
  readonly writeId: string;
  readonly tables: readonly string[];
  /** `begin` failed: whether the mark lies on the regions is not known. */
  readonly isUncertain: boolean;
}

export interface WriteProtocolOptions {
  readonly policy: WritePolicy;
  /** Lease of a mark, in milliseconds on the store's clock. */
  readonly leaseMs: number;
  /** Pause between two attempts to pay debts, in milliseconds. */
  readonly retryMs: number;
}

export class WriteProtocol {
  readonly #debts = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  #paying: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly store: VersionStore,
    private readonly events: CacheEvents,
    private readonly token: TokenSource,
    private readonly options: WriteProtocolOptions,
  ) {}

  /** @throws WriteRefusedError under the policy `refuse`, when the store cannot be reached. */
  async begin(tables: readonly TableVersionNames[], backendPid: number): Promise<Announcement> {
    const writeId = this.token();
    const names = tables.map(({ table }) => table);
    try {
      const { leaseMs } = this.options;
      await this.store.begin({ writeId, backendPid, tables }, this.token(), leaseMs);
      return { writeId, tables: names, isUncertain: false };
    } catch (cause) {
      const uncertain: Announcement = { writeId, tables: names, isUncertain: true };
      if (this.options.policy === 'refuse') {
        this.events.tell('writeRefused', { tables: names.length });
        this.abort(uncertain);
        throw new WriteRefusedError(cause);
      }
      this.events.tell('unannounced', { tables: names.length });
      return uncertain;
    }
  }

  /** After COMMIT has been answered, or has failed. */
  conclude(announcement: Announcement, outcome: CommitOutcome): void {
    if (outcome === 'committed') this.end(announcement);
    if (outcome === 'rolled-back') this.abort(announcement);
    if (outcome === 'unknown' && announcement.isUncertain) this.owe(announcement.tables);
  }

  /** After COMMIT. Runs in the background: until it is done, readers bypass. */
  end(announcement: Announcement): void {
    const { writeId, tables, isUncertain } = announcement;
    if (isUncertain) this.owe(tables);
    this.#inBackground(async () => {
      await this.store.end(writeId, tables, this.token());
      this.events.tell('invalidated', { tables: tables.length, versions: 0 });
    });
  }

  /** After ROLLBACK, or where COMMIT has surely failed. */
  abort({ writeId, tables }: Announcement): void {
    this.#inBackground(() => this.store.abort(writeId, tables));
  }

  /** A write to the tables has committed without a mark: ends their entries as soon as possible. */
  owe(tables: readonly string[]): void {
    for (const table of tables) this.#debts.add(table);
    this.#paying ??= this.#pay().finally(() => {
      this.#paying = undefined;
    });
  }

  /** Waits until everything begun has ended, so that no mark is left behind. */
  async drain(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#pending);
    await this.#paying;
  }

  #inBackground(work: () => Promise<void>): void {
    // A failure leaves the mark to its lease; the outage itself is told by the store.
    const running = work()
      .catch(() => undefined)
      .finally(() => this.#pending.delete(running));
    this.#pending.add(running);
  }

  async #pay(): Promise<void> {
    for (;;) {
      for (const table of [...this.#debts]) {
        if (await this.#replaceEpoch(table)) this.#debts.delete(table);
      }
      if (this.#debts.size === 0 || this.#closed) return;
      await new Promise((resolve) => setTimeout(resolve, this.options.retryMs).unref());
    }
  }

  async #replaceEpoch(table: string): Promise<boolean> {
    try {
      const [reading] = await this.store.read([{ table, names: [] }]);
      if (reading?.node === undefined) return false;
      return await this.store.rotate(table, reading.epoch, this.token());
    } catch {
      return false;
    }
  }
}
