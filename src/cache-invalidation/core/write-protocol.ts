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
 * - policy `commit`: the write records in the database itself that it is unannounced, and goes on. Its
 *   tables become a debt of this process: as soon as the store answers again, their epochs are replaced,
 *   which ends every entry of theirs. Where the process ends before that, other instances find the
 *   record. A write that cannot be recorded is refused: nobody would ever be told of it.
 */
import type { CacheEvents } from '../../query-cache/core/cache-events.js';
import { pause, type Timers } from '../../query-cache/core/clock.js';
import type { TokenSource } from '../../query-cache/core/token.js';
import { ANYTHING, SCHEMA } from '../../query-cache/core/schema-version.js';
import { WHOLE_TABLE } from '../../query-cache/core/version-name.js';
import type { TableVersionNames, VersionStore } from '../../query-cache/core/version-store.js';
import type { CommitOutcome } from './commit-outcome.js';
import { WriteRefusedError } from './write-refused.error.js';

export type WritePolicy = 'commit' | 'refuse';

/**
 * What a write touches: `anything` where that cannot be told, `schema` where it may have changed
 * the schema as well.
 */
export type TouchedVersions = readonly TableVersionNames[] | 'anything' | 'schema';

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
  /** How long debts are still tried to be paid when the application stops, in milliseconds. */
  readonly drainMs: number;
}

export class WriteProtocol {
  #debts = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  #paying: Promise<void> | undefined;
  #isClosed = false;

  constructor(
    private readonly store: VersionStore,
    private readonly events: CacheEvents,
    private readonly token: TokenSource,
    private readonly timers: Timers,
    private readonly options: WriteProtocolOptions,
  ) {}

  /**
   * @param record called under the policy `commit` when the store cannot be reached: puts into the
   *   transaction of the write that it was not announced. Rejects where it cannot, and leaves the
   *   transaction as it was.
   * @throws WriteRefusedError when the store cannot be reached, under `refuse`, or where `record` rejects.
   */
  async begin(
    touched: TouchedVersions,
    backendPid: number,
    record: () => Promise<void>,
  ): Promise<Announcement> {
    const writeId = this.token();
    const tables = versionsOf(touched);
    const names = tables.map(({ table }) => table);
    try {
      const { leaseMs } = this.options;
      await this.store.begin({ writeId, backendPid, tables }, this.token(), leaseMs);
      const versions = tables.reduce((sum, table) => sum + table.names.length, 0);
      this.events.tell('invalidated', { tables: tables.length, versions });
      return { writeId, tables: names, isUncertain: false };
    } catch (cause) {
      const uncertain: Announcement = { writeId, tables: names, isUncertain: true };
      if (this.options.policy === 'refuse') throw this.#refusal(uncertain, cause);
      await record().catch((error: unknown) => {
        throw this.#refusal(uncertain, error);
      });
      this.events.tell('unannounced');
      return uncertain;
    }
  }

  /**
   * Replaces the versions of what others have committed. Rejects where the store cannot be reached:
   * whether it was told is then not known.
   */
  async tell(touched: TouchedVersions, backendPid: number): Promise<void> {
    const tables = versionsOf(touched);
    const writeId = this.token();
    await this.store.begin({ writeId, backendPid, tables }, this.token(), this.options.leaseMs);
    const names = tables.map(({ table }) => table);
    await this.store.end(writeId, names, this.token());
    const versions = tables.reduce((sum, table) => sum + table.names.length, 0);
    this.events.tell('invalidated', { tables: tables.length, versions });
  }

  /** After COMMIT has been answered, or has failed. */
  conclude(announcement: Announcement, outcome: CommitOutcome): void {
    if (outcome === 'committed') this.end(announcement);
    if (outcome === 'rolled-back') this.abort(announcement);
    if (outcome === 'unknown' && announcement.isUncertain) this.owe(announcement.tables);
  }

  /** After COMMIT. Runs in the background: until it is done, readers bypass. */
  end({ writeId, tables, isUncertain }: Announcement): void {
    if (isUncertain) this.owe(tables);
    this.#inBackground(() => this.store.end(writeId, tables, this.token()));
  }

  /**
   * After a statement that commits by itself. It may have outlived its mark: what it committed since
   * then is announced anew.
   */
  endLong(announcement: Announcement, backendPid: number): void {
    const { writeId, tables, isUncertain } = announcement;
    if (isUncertain) return this.end(announcement);
    const names = tables.map((table) => ({ table, names: [WHOLE_TABLE] }));
    this.#inBackground(async () => {
      const mark = { writeId, backendPid, tables: names };
      await this.store.begin(mark, this.token(), this.options.leaseMs);
      await this.store.end(writeId, tables, this.token());
    });
  }

  /** After ROLLBACK, or where COMMIT has surely failed. */
  abort({ writeId, tables }: Announcement): void {
    this.#inBackground(() => this.store.abort(writeId, tables));
  }

  /** A write to the tables has committed without a mark: ends their entries as soon as possible. */
  owe(tables: readonly string[] | 'anything'): void {
    const owed = tables === 'anything' ? [SCHEMA] : tables;
    for (const table of owed) this.#debts.add(table);
    this.#paying ??= this.#pay();
  }

  /**
   * Waits until everything begun has ended, so that no mark is left behind, and until debts are
   * paid; for those it waits `drainMs` at the most. Answers whether all was done.
   */
  async drain(): Promise<boolean> {
    await Promise.allSettled(this.#pending);
    const late = setTimeout(() => (this.#isClosed = true), this.options.drainMs);
    await this.#paying;
    clearTimeout(late);
    return !this.#hasDebts;
  }

  get #hasDebts(): boolean {
    return this.#debts.size > 0;
  }

  #refusal(uncertain: Announcement, cause: unknown): WriteRefusedError {
    this.events.tell('writeRefused');
    this.abort(uncertain);
    return new WriteRefusedError(cause);
  }

  #inBackground(work: () => Promise<void>): void {
    // A failure leaves the mark to its lease; the outage itself is told by the store.
    const running = work()
      .catch(() => undefined)
      .finally(() => this.#pending.delete(running));
    this.#pending.add(running);
  }

  async #pay(): Promise<void> {
    while (this.#hasDebts && !this.#isClosed) {
      // What is owed from here on is paid in the next round, even if it is the same table.
      const debts = this.#debts;
      this.#debts = new Set();
      try {
        for (const table of debts) if (await this.#replaceEpoch(table)) debts.delete(table);
      } catch {
        // The store is away again; what is left stays owed.
      }
      for (const table of debts) this.#debts.add(table);
      if (this.#hasDebts) {
        await pause(this.timers, this.options.retryMs);
      }
    }
    this.#paying = undefined;
  }

  async #replaceEpoch(table: string): Promise<boolean> {
    const [reading] = await this.store.read([{ table, names: [] }]);
    if (reading?.node === undefined) return false;
    return this.store.rotate(table, reading.epoch, this.token());
  }
}

/** Every answer depends on both versions of the schema. */
function versionsOf(touched: TouchedVersions): readonly TableVersionNames[] {
  if (typeof touched !== 'string') return touched;
  return [{ table: SCHEMA, names: [touched === 'schema' ? WHOLE_TABLE : ANYTHING] }];
}
