/**
 * Which epochs this process trusts, and how the others come to count.
 *
 * An epoch counts where it was made under the server process that answers, has settled, and is not older than an
 * outage that this process has seen: writes may have committed unseen meanwhile. Any other is replaced, and settled
 * (settlement.ts).
 */
import type { EpochCause } from './ports/cache-events.js';
import { SCHEMA } from './schema-version.js';
import type { Settlement } from './settlement.js';
import { parseEpoch } from './version-format.js';
import type { TableReading, VersionStore } from './ports/version-store.js';

export class TrustedEpochs {
  #outages = 0;
  /** By table: the outages seen before its epoch was trusted. An absent table was trusted before the first one. */
  readonly #since = new Map<string, number>();

  constructor(
    private readonly store: VersionStore,
    private readonly settlement: Settlement,
  ) {}

  /** How many outages this process has seen. */
  get outages(): number {
    return this.#outages;
  }

  /** Everything from before now is distrusted. */
  distrustAll(): void {
    this.#outages += 1;
  }

  /** Whether the epoch of the schema, which is part of every stamp, was replaced since the last outage. */
  get isUnbroken(): boolean {
    return this.#isSince(SCHEMA, this.#outages);
  }

  /** @param outages seen before the reading was begun. */
  trusts({ table, epoch, node }: TableReading, outages: number): boolean {
    if (epoch === undefined || !this.#isSince(table, outages)) return false;
    const parsed = parseEpoch(epoch);
    return parsed.node === node && !parsed.isSettling;
  }

  /** Remembers that the tables were trusted: an epoch of theirs that is gone later counts as lost. */
  used(tables: Iterable<string>, outages: number): void {
    for (const table of tables) if (!this.#since.has(table)) this.#since.set(table, outages);
  }

  /** Replaces and settles the epochs that are not trusted. Answers whether all of them may count by now. */
  async repair(readings: readonly TableReading[], outages: number): Promise<boolean> {
    const untrusted = readings.filter((reading) => !this.trusts(reading, outages));
    const repairs = await Promise.all(untrusted.map((reading) => this.#repair(reading, outages)));
    return !repairs.includes(false);
  }

  async #repair(reading: TableReading, outages: number): Promise<boolean> {
    const { table, epoch } = reading;
    const cause = this.#causeToReplace(reading, outages);
    let present = epoch;
    if (cause) {
      await this.settlement.replaceEpoch(table, epoch, cause);
      // Whoever replaced the epoch did so after it was read: it is newer than the outage.
      this.#since.set(table, outages);
      const [now] = await this.store.read([{ table, names: [] }]);
      present = now?.epoch;
    }
    if (present === undefined || !parseEpoch(present).isSettling) return true;
    return this.settlement.epochs.settle(table, present);
  }

  #causeToReplace({ table, epoch, node }: TableReading, outages: number): EpochCause | undefined {
    const isSince = this.#isSince(table, outages);
    if (epoch === undefined) return isSince && this.#since.has(table) ? 'lost' : 'missing';
    if (parseEpoch(epoch).node !== node) return 'other-node';
    return isSince ? undefined : 'outage';
  }

  #isSince(table: string, outages: number): boolean {
    return (this.#since.get(table) ?? 0) === outages;
  }
}
