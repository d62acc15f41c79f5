import {
  VersionStore,
  type MarksReport,
  type StandingMark,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../../../../src/core/ports/version-store.js';

/** The store as it is; a variant overrides one rule of it. */
export class StoreVariant extends VersionStore {
  constructor(protected readonly store: VersionStore) {
    super();
  }

  override get buckets(): number {
    return this.store.buckets;
  }

  override bucketOf(table: string): number {
    return this.store.bucketOf(table);
  }

  override read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    return this.store.read(tables);
  }

  override create(versions: TableVersionNames, token: string): Promise<TableReading> {
    return this.store.create(versions, token);
  }

  override begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    return this.store.begin(mark, token, leaseMs);
  }

  override end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    return this.store.end(writeId, tables, token);
  }

  override abort(writeId: string, tables: readonly string[]): Promise<void> {
    return this.store.abort(writeId, tables);
  }

  override inspect(versions: TableVersionNames): Promise<MarksReport> {
    return this.store.inspect(versions);
  }

  override marks(table: string): Promise<readonly StandingMark[]> {
    return this.store.marks(table);
  }

  override settle(table: string, writeId: string, token: string): Promise<boolean> {
    return this.store.settle(table, writeId, token);
  }

  override renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void> {
    return this.store.renew(table, writeId, transactionId, leaseMs);
  }

  override tables(): Promise<readonly string[]> {
    return this.store.tables();
  }

  override rotate(table: string, observed: string | undefined, token: string): Promise<boolean> {
    return this.store.rotate(table, observed, token);
  }

  override settleEpoch(table: string, observed: string): Promise<boolean> {
    return this.store.settleEpoch(table, observed);
  }
}
