/**
 * The epochs that this process trusts, and how the others come to count.
 *
 * An epoch counts if it was created under the server process that answers, has settled, and is newer than every outage
 * that this process has seen: writes may have committed unseen during an outage. Any other epoch is replaced and
 * settled (settlement.ts).
 */
import type { EpochCause } from './ports/cache-events.js';
import { SCHEMA } from './schema-version.js';
import type { Settlement } from './settlement.js';
import { parseEpoch } from './versions.js';
import type { TableReading, VersionStore } from './ports/version-store.js';

export class TrustedEpochs {
  #outages = 0;
  /**
   * By table: the number of outages seen before its epoch was trusted. An absent table was trusted before the first
   * outage.
   */
  readonly #since = new Map<string, number>();

  constructor(
    private readonly store: VersionStore,
    private readonly settlement: Settlement,
  ) {}

  /** The number of outages that this process has seen. */
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

  /** @param outages the number seen before the reading began. */
  trusts({ table, epoch, node }: TableReading, outages: number): boolean {
    if (epoch === undefined || !this.#isSince(table, outages)) return false;
    const parsed = parseEpoch(epoch);
    return parsed.node === node && !parsed.isSettling;
  }

  /** Records that the tables were trusted: if their epochs are missing later, they count as lost. */
  used(tables: Iterable<string>, outages: number): void {
    for (const table of tables) if (!this.#since.has(table)) this.#since.set(table, outages);
  }

  /** Replaces and settles the epochs that are not trusted. Resolves to whether all of them may count now. */
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
      // Another instance may have replaced the epoch, but after it was read here: it is newer than the outage.
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
