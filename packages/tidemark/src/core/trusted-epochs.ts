/**
 * The epochs that this process trusts, and how the others come to count.
 *
 * An epoch counts if it was created under the server process that answers, has settled, and is newer than every outage
 * of its bucket that this process has seen: writes may have committed unseen during an outage. Any other epoch is
 * replaced and settled (settlement.ts).
 */
import type { EpochCause } from './ports/cache-events.js';
import { schemaIn } from './schema-version.js';
import type { Settlement } from './settlement.js';
import { parseEpoch } from './versions.js';
import type { TableReading, VersionStore } from './ports/version-store.js';

export class TrustedEpochs {
  #outages = 0;
  /** By bucket: the number of its latest outage. An absent bucket had none. */
  readonly #latestOutage = new Map<number, number>();
  /**
   * By table: the number of outages seen before its epoch was trusted. An absent table was trusted before the first
   * outage.
   */
  readonly #since = new Map<string, number>();

  constructor(
    private readonly store: VersionStore,
    private readonly settlement: Settlement,
  ) {}

  /** The number of outages that this process has seen, of all buckets. */
  get outages(): number {
    return this.#outages;
  }

  /** Everything in the bucket from before now is distrusted. */
  distrust(bucket: number): void {
    this.#outages += 1;
    this.#latestOutage.set(bucket, this.#outages);
  }

  /** Whether the epoch of the bucket's schema, which is part of every stamp, was replaced since its latest outage. */
  isUnbroken(bucket: number): boolean {
    return this.#isSinceOutage(schemaIn(bucket));
  }

  trusts({ table, epoch, node }: TableReading): boolean {
    if (epoch === undefined || !this.#isSinceOutage(table)) return false;
    const parsed = parseEpoch(epoch);
    return parsed.node === node && !parsed.isSettling;
  }

  /**
   * Records that the tables were trusted: if their epochs are missing later, they count as lost.
   *
   * @param outages the number seen before the reading began
   */
  used(tables: Iterable<string>, outages: number): void {
    for (const table of tables) if (!this.#since.has(table)) this.#since.set(table, outages);
  }

  /**
   * Replaces and settles the epochs that are not trusted. Resolves to whether all of them may count now.
   *
   * @param outages the number seen before the reading began
   */
  async repair(readings: readonly TableReading[], outages: number): Promise<boolean> {
    const untrusted = readings.filter((reading) => !this.trusts(reading));
    const repairs = await Promise.all(untrusted.map((reading) => this.#repair(reading, outages)));
    return !repairs.includes(false);
  }

  async #repair(reading: TableReading, outages: number): Promise<boolean> {
    const { table, epoch } = reading;
    const cause = this.#causeToReplace(reading);
    let present = epoch;
    if (cause) {
      await this.settlement.replaceEpoch(table, epoch, cause);
      // Another instance may have replaced the epoch, but after it was read here: it is newer than the outage.
      this.#since.set(table, Math.max(outages, this.#since.get(table) ?? 0));
      const [now] = await this.store.read([{ table, names: [] }]);
      present = now?.epoch;
    }
    if (present === undefined || !parseEpoch(present).isSettling) return true;
    return this.settlement.epochs.settle(table, present);
  }

  #causeToReplace({ table, epoch, node }: TableReading): EpochCause | undefined {
    const isSince = this.#isSinceOutage(table);
    if (epoch === undefined) return isSince && this.#since.has(table) ? 'lost' : 'missing';
    if (parseEpoch(epoch).node !== node) return 'other-node';
    return isSince ? undefined : 'outage';
  }

  #isSinceOutage(table: string): boolean {
    const latest = this.#latestOutage.get(this.store.bucketOf(table)) ?? 0;
    return (this.#since.get(table) ?? 0) >= latest;
  }
}
