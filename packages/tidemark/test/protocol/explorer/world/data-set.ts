/**
 * The data set of one Redis server: versions, marks and epochs by the rules of the memory store
 * (the contract suite checks the Lua scripts against the same rules), and the entries beside them.
 * Beyond the store it can be copied (snapshots, replicas), lose keys, and be described.
 */
import type { CacheEntry } from '../../../../src/core/ports/entry-store.js';
import { SCHEMA } from '../../../../src/core/schema-version.js';
import type { TableReading, TableVersionNames } from '../../../../src/core/ports/version-store.js';
import { MemoryTable } from '../../../../src/core/memory/memory-table.js';
import { MemoryVersionStore } from '../../../../src/core/memory/memory-version-store.js';

/** Its own clock stands still; leases run out when the scheduler says so. */
const NOW_MS = 1;

/** The data of one table; the marks and the dimensions can be lost. */
export class WorldTable extends MemoryTable {
  /** Whether it has the marks and dimensions that it had: these lie under one key. */
  #isWhole = true;

  copy(): WorldTable {
    const copy = new WorldTable(Infinity);
    copy.epoch = this.epoch;
    copy.#isWhole = this.#isWhole;
    for (const [name, version] of this.versions) copy.versions.set(name, version);
    for (const [writeId, mark] of this.marks) copy.marks.set(writeId, mark);
    for (const dimension of this.dimensions) copy.dimensions.add(dimension);
    return copy;
  }

  tokens(): readonly string[] {
    return [...this.versions.values()].map(({ token }) => token);
  }

  /** Any, as an `allkeys-*` policy has it: also those that a write is marked on. */
  evictable(): readonly string[] {
    return [...this.versions.keys()];
  }

  /** Takes the marks off a version, while they stay among those of the table. */
  unmark(name: string): void {
    const version = this.versions.get(name);
    if (version) this.versions.set(name, { ...version, marks: new Set() });
  }

  evict(name: string): void {
    this.versions.delete(name);
  }

  loseMarks(): void {
    this.marks.clear();
    this.dimensions.clear();
    this.#isWhole = false;
  }

  /** As a table whose marks were never lost. */
  passForWhole(): void {
    this.#isWhole = true;
  }

  override rotate(observed: string | undefined, token: string, node: string): boolean {
    const hasReplaced = super.rotate(observed, token, node);
    this.#isWhole ||= hasReplaced;
    return hasReplaced;
  }

  protected override open(): boolean {
    if (!this.#isWhole) this.epoch = undefined;
    return super.open();
  }

  runningLeases(): readonly string[] {
    return [...this.marks].filter(([id]) => !this.hasExpired(id, NOW_MS)).map(([id]) => id);
  }

  expire(writeId: string): void {
    const mark = this.marks.get(writeId);
    if (mark) this.marks.set(writeId, { ...mark, deadlineMs: 0 });
  }

  /** Whether settlement would find something to do. */
  get needsCare(): boolean {
    return (
      this.epoch !== undefined &&
      ([...this.marks.keys()].some((writeId) => this.hasExpired(writeId, NOW_MS)) ||
        [...this.versions.values()].some(({ marks }) =>
          [...marks].some((writeId) => !this.marks.has(writeId)),
        ))
    );
  }

  describe(): string {
    const versions = [...this.versions.keys()].toSorted().map((name) => {
      const { token, marks } = this.versions.get(name) ?? { token: '', marks: new Set() };
      return `${name}=${[token, ...marks].join('!')}`;
    });
    const marks = [...this.marks].map(
      ([id, { backendPid, transactionId, names }]) =>
        `${id} ${backendPid} ${transactionId} ${this.hasExpired(id, NOW_MS)} ${names.join()}`,
    );
    const dimensions = [...this.dimensions].toSorted();
    return [this.epoch, this.#isWhole, ...versions, ...marks, dimensions].join(';');
  }
}

export class DataSet extends MemoryVersionStore {
  readonly entries = new Map<string, CacheEntry>();
  protected override readonly tablesById = new Map<string, WorldTable>();

  /** @param schema `fixed`: the version of the schema is no table here, and never changes. */
  constructor(
    protected override readonly node: string,
    private readonly schema: 'fixed' | 'kept',
  ) {
    super({ clock: { nowMs: () => NOW_MS } });
  }

  /** A table that has long been in use. */
  openWithEpoch(id: string, token: string): void {
    const table = this.openTable();
    table.epoch = `${token} ${this.node}`;
    this.tablesById.set(id, table);
  }

  /** The same data on another server. */
  copyTo(node: string): DataSet {
    const copy = new DataSet(node, this.schema);
    for (const [id, table] of this.tablesById) copy.tablesById.set(id, table.copy());
    for (const [key, entry] of this.entries) copy.entries.set(key, entry);
    return copy;
  }

  /** With a fixed version of the schema, what is left to guard is a table's own data. */
  override async read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    if (this.schema === 'kept') return super.read(tables);
    const readings = await super.read(tables.filter(({ table }) => table !== SCHEMA));
    const rest = [...readings];
    return tables.map(({ table }) => {
      const reading = table === SCHEMA ? this.#schema() : rest.shift();
      if (!reading) throw new Error('A reading is missing.');
      return reading;
    });
  }

  #schema(): TableReading {
    return { table: SCHEMA, node: this.node, epoch: `s ${this.node}`, versions: ['s', 's'] };
  }

  protected override openTable(): WorldTable {
    return new WorldTable(Infinity);
  }

  get allTables(): ReadonlyMap<string, WorldTable> {
    return this.tablesById;
  }

  get needsCare(): boolean {
    return [...this.tablesById.values()].some((table) => table.needsCare);
  }

  describe(): string {
    const tables = [...this.tablesById].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const entries = [...this.entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return [
      this.node,
      ...tables.map(([id, table]) => `${id}{${table.describe()}}`),
      ...entries.map(([key, { stamp, body }]) => `${key}{${stamp}|${body.toString()}}`),
    ].join('\n');
  }
}
