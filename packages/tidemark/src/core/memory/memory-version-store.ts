import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '../ports/clock.js';
import {
  VersionStore,
  type MarksReport,
  type StandingMark,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../ports/version-store.js';
import { MemoryTable } from './memory-table.js';
import { BatchLoader } from './batch-loader.js';

export interface MemoryVersionStoreOptions {
  readonly clock?: Clock;
  /** Versions kept per table; beyond that, the least recently used ones without a mark are dropped. */
  readonly maxVersions?: number;
}

const MAX_VERSIONS = 100_000;

/** Versions, marks and epochs for a service that runs as one process. */
export class MemoryVersionStore extends VersionStore {
  /** Identity of the server process; the data live as long as it does. */
  protected readonly node: string = `memory-${randomUUID()}`;
  protected readonly tablesById = new Map<string, MemoryTable>();
  readonly #clock: Clock;
  readonly #maxVersions: number;

  constructor({ clock = systemClock, maxVersions = MAX_VERSIONS }: MemoryVersionStoreOptions = {}) {
    super();
    this.#clock = clock;
    this.#maxVersions = maxVersions;
  }

  /** One process has all tables. */
  override get buckets(): number {
    return 1;
  }

  override bucketOf(_table: string): number {
    return 0;
  }

  override async read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    return this.readNow(tables);
  }

  override async create(versions: TableVersionNames, token: string): Promise<TableReading> {
    this.#table(versions.table).create(versions.names, token);
    return this.#reading(versions);
  }

  override async drop({ table, names }: TableVersionNames, token: string): Promise<void> {
    this.#table(table).drop(names, token);
  }

  override async begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    const deadlineMs = this.#clock.nowMs() + leaseMs;
    for (const { table, names } of mark.tables) {
      this.#table(table).begin(mark.writeId, mark.backendPid, names, token, deadlineMs);
    }
  }

  override async end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    for (const table of tables) this.#table(table).takeOff(writeId, token);
  }

  override async abort(writeId: string, tables: readonly string[]): Promise<void> {
    for (const table of tables) this.#table(table).takeOff(writeId, undefined);
  }

  override async inspect({ table, names }: TableVersionNames): Promise<MarksReport> {
    return this.#table(table).inspect(names, this.#clock.nowMs());
  }

  override async marks(table: string): Promise<readonly StandingMark[]> {
    return this.#table(table).standingMarks(this.#clock.nowMs());
  }

  override async settle(table: string, writeId: string, token: string): Promise<boolean> {
    const data = this.#table(table);
    return data.hasExpired(writeId, this.#clock.nowMs()) && data.takeOff(writeId, token);
  }

  override async renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void> {
    this.#table(table).renew(writeId, transactionId, leaseMs, this.#clock.nowMs());
  }

  override async tables(): Promise<readonly string[]> {
    return [...this.tablesById].filter(([, { epoch }]) => epoch !== undefined).map(([id]) => id);
  }

  override async rotate(
    table: string,
    observed: string | undefined,
    token: string,
  ): Promise<boolean> {
    return this.#table(table).rotate(observed, token, this.node);
  }

  override async settleEpoch(table: string, observed: string): Promise<boolean> {
    return this.#table(table).settleEpoch(observed);
  }

  protected readNow(tables: readonly TableVersionNames[]): readonly TableReading[] {
    return tables.map((versions) => this.#reading(versions));
  }

  protected openTable(maxVersions: number): MemoryTable {
    return new MemoryTable(maxVersions);
  }

  #reading({ table, names }: TableVersionNames): TableReading {
    const data = this.#table(table);
    const versions = names.map((name) => data.versionText(name));
    return { table, node: this.node, epoch: data.epoch, versions };
  }

  #table(id: string): MemoryTable {
    let table = this.tablesById.get(id);
    if (!table) {
      table = this.openTable(this.#maxVersions);
      this.tablesById.set(id, table);
    }
    return table;
  }
}

/** Reads once at the end of a turn of the event loop for all callers of the turn, which is cheaper than one by one. */
export class TurnMemoryVersionStore extends MemoryVersionStore {
  readonly #reads = new BatchLoader<readonly TableVersionNames[], readonly TableReading[]>(
    () => Promise.resolve((tables) => this.readNow(tables)),
    setImmediate,
  );

  override read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    return this.#reads.ask(tables);
  }
}
