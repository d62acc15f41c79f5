/** Variants with other rules for versions. */
import type {
  TableReading,
  TableVersionNames,
  WriteMark,
} from '../../../../src/core/ports/version-store.js';
import { isInDoubt } from '../../../../src/core/versions.js';
import type { DataSet } from '../world/data-set.js';
import { StoreVariant } from './store-variant.js';

const COUNTED = /^c\d+/;

/** `counter`: versions and epochs count up, from 1 where there is none. */
export class Counter extends StoreVariant {
  constructor(protected override readonly store: DataSet) {
    super(store);
  }

  override create(versions: TableVersionNames): Promise<TableReading> {
    return this.store.create(versions, 'c1');
  }

  override async begin(mark: WriteMark, _token: string, leaseMs: number): Promise<void> {
    await this.store.begin(mark, this.#next(), leaseMs);
  }

  override async end(writeId: string, tables: readonly string[]): Promise<void> {
    await this.store.end(writeId, tables, this.#next());
  }

  override async settle(table: string, writeId: string): Promise<boolean> {
    return this.store.settle(table, writeId, this.#next());
  }

  override async rotate(table: string, observed: string | undefined): Promise<boolean> {
    const count = Number(/\d+/.exec(observed ?? '')?.[0] ?? 0);
    return this.store.rotate(table, observed, `c${count + 1}`);
  }

  /** One more than the highest that is there. */
  #next(): string {
    const counts = [...this.store.allTables.values()]
      .flatMap((table) => table.tokens())
      .map((token) => Number(COUNTED.exec(token)?.[0].slice(1) ?? 0));
    return `c${Math.max(0, ...counts) + 1}`;
  }
}

/** By data set and process. */
const lastSeenBy = new WeakMap<DataSet, Map<string, string>>();

/** `missing-valid`: where a version is missing, the one last seen by this process still counts. */
export class MissingValid extends StoreVariant {
  readonly #lastSeen: Map<string, string>;

  constructor(
    store: DataSet,
    private readonly process: string,
  ) {
    super(store);
    this.#lastSeen = lastSeenBy.get(store) ?? new Map<string, string>();
    lastSeenBy.set(store, this.#lastSeen);
  }

  override async read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    const readings = await this.store.read(tables);
    return readings.map((reading, index) => this.#filledIn(reading, tables[index]?.names ?? []));
  }

  override async create(versions: TableVersionNames, token: string): Promise<TableReading> {
    return this.#filledIn(await this.store.create(versions, token), versions.names);
  }

  #filledIn(reading: TableReading, names: readonly string[]): TableReading {
    const versions = reading.versions.map((version, position) => {
      const name = `${this.process} ${reading.table} ${names[position]}`;
      if (version !== undefined && !isInDoubt(version)) this.#lastSeen.set(name, version);
      return version ?? this.#lastSeen.get(name);
    });
    return { ...reading, versions };
  }
}

/** `mark-not-met`: a version that is created while a write is marked on it does not get the mark. */
export class MarkNotMet extends StoreVariant {
  constructor(protected override readonly store: DataSet) {
    super(store);
  }

  override async create(versions: TableVersionNames, token: string): Promise<TableReading> {
    const [before] = await this.store.read([versions]);
    await this.store.create(versions, token);
    const table = this.store.allTables.get(versions.table);
    versions.names.forEach((name, index) => {
      if (before?.versions[index] === undefined) table?.unmark(name);
    });
    const [after] = await this.store.read([versions]);
    if (!after) throw new Error('A reading is missing.');
    return after;
  }
}

/** `loss-unnoticed`: a table goes on under its epoch when its marks and dimensions are lost. */
export class LossUnnoticed extends StoreVariant {
  constructor(protected override readonly store: DataSet) {
    super(store);
  }

  override create(versions: TableVersionNames, token: string): Promise<TableReading> {
    this.#overlook();
    return this.store.create(versions, token);
  }

  override end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    this.#overlook();
    return this.store.end(writeId, tables, token);
  }

  #overlook(): void {
    for (const table of this.store.allTables.values()) table.passForWhole();
  }
}
