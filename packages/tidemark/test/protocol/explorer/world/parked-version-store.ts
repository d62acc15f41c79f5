/**
 * The store of versions, each command of which waits for the scheduler. As over a cluster, a call about tables of several
 * buckets sends each bucket its own command, at once.
 */
import {
  VersionStore,
  type MarksReport,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../../../../src/core/ports/version-store.js';
import { bucketOf, labelIn } from './buckets.js';
import type { Process } from './process.js';

export class ParkedVersionStore extends VersionStore {
  constructor(
    private readonly process: Process,
    private readonly count: number,
    /** The store of the server that answers for the bucket now. */
    private readonly present: (bucket: number) => VersionStore,
  ) {
    super();
  }

  override get buckets(): number {
    return this.count;
  }

  override bucketOf(table: string): number {
    return bucketOf(table, this.count);
  }

  override async read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    const readings = await this.#sendEach(
      'reads versions',
      tables.map(({ table }) => table),
      (store, part) => store.read(tables.filter(({ table }) => part.includes(table))),
    );
    const byTable = new Map(readings.flat().map((reading) => [reading.table, reading]));
    return tables.map(({ table }) => {
      const reading = byTable.get(table);
      if (!reading) throw new Error('A reading is missing.');
      return reading;
    });
  }

  override create(versions: TableVersionNames, token: string): Promise<TableReading> {
    return this.#send(versions.table, 'creates versions', (store) => store.create(versions, token));
  }

  override async begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    const written = mark.tables.map(({ table }) => table);
    await this.#sendEach('begin', written, (store, part) => {
      const tables = mark.tables.filter(({ table }) => part.includes(table));
      return store.begin({ ...mark, tables }, token, leaseMs);
    });
  }

  override async end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    await this.#sendEach('end', tables, (store, part) => store.end(writeId, part, token));
  }

  override async abort(writeId: string, tables: readonly string[]): Promise<void> {
    await this.#sendEach('abort', tables, (store, part) => store.abort(writeId, part));
  }

  override inspect(versions: TableVersionNames): Promise<MarksReport> {
    return this.#send(versions.table, 'inspects the marks', (store) => store.inspect(versions));
  }

  override settle(table: string, writeId: string, token: string): Promise<boolean> {
    return this.#send(table, 'settles a mark', (store) => store.settle(table, writeId, token));
  }

  override renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void> {
    return this.#send(table, 'renews a lease', (store) =>
      store.renew(table, writeId, transactionId, leaseMs),
    );
  }

  override tables(): Promise<readonly string[]> {
    return Promise.reject(new Error('Only the sweep asks for the tables, and none runs here.'));
  }

  override marks(): Promise<never> {
    return Promise.reject(new Error('Only reports show marks, and none is made here.'));
  }

  override rotate(table: string, observed: string | undefined, token: string): Promise<boolean> {
    return this.#send(table, 'replaces the epoch', (store) => store.rotate(table, observed, token));
  }

  override settleEpoch(table: string, observed: string): Promise<boolean> {
    return this.#send(table, 'ends the settling', (store) => store.settleEpoch(table, observed));
  }

  #sendEach<T>(
    label: string,
    tables: readonly string[],
    effect: (store: VersionStore, tables: readonly string[]) => Promise<T>,
  ): Promise<readonly T[]> {
    const buckets = [...new Set(tables.map((table) => this.bucketOf(table)))];
    const parts = buckets.map((bucket) =>
      tables.filter((table) => this.bucketOf(table) === bucket),
    );
    return Promise.all(
      parts.map((part) => this.#send(part[0] ?? '', label, (store) => effect(store, part))),
    );
  }

  #send<T>(table: string, label: string, effect: (store: VersionStore) => Promise<T>): Promise<T> {
    const bucket = this.bucketOf(table);
    return this.process.call(bucket, labelIn(bucket, label), () => effect(this.present(bucket)));
  }
}
