/** Variants that publish a write in half. Their steps are as atomic as the right ones. */
import type { TableVersionNames, WriteMark } from '../../../../src/core/ports/version-store.js';
import type { DataSet } from '../world/data-set.js';
import { StoreVariant } from './store-variant.js';

const LEASE_MS = 1_000;

/** The marks of each write, which the store does not keep without marks. */
const writtenBy = new WeakMap<DataSet, Map<string, WriteMark>>();

class Unmarked extends StoreVariant {
  constructor(protected override readonly store: DataSet) {
    super(store);
  }

  protected remember(mark: WriteMark): void {
    const written = writtenBy.get(this.store) ?? new Map<string, WriteMark>();
    writtenBy.set(this.store, written.set(mark.writeId, mark));
  }

  /** Replaces the versions that the write has written, and leaves no mark. */
  protected async replace(writeId: string, token: string): Promise<void> {
    const mark = writtenBy.get(this.store)?.get(writeId);
    if (!mark) return;
    const tables = mark.tables.map(({ table }: TableVersionNames) => table);
    await Promise.all([this.store.begin(mark, token, LEASE_MS), this.store.abort(writeId, tables)]);
  }
}

/** `no-mark`: versions are replaced before and after COMMIT, without a mark in between. */
export class NoMark extends Unmarked {
  override begin(mark: WriteMark, token: string): Promise<void> {
    this.remember(mark);
    return this.replace(mark.writeId, token);
  }

  override end(writeId: string, _tables: readonly string[], token: string): Promise<void> {
    return this.replace(writeId, token);
  }
}

/** `before-only`: versions are replaced before COMMIT, and that is all. */
export class BeforeOnly extends Unmarked {
  override begin(mark: WriteMark, token: string): Promise<void> {
    this.remember(mark);
    return this.replace(mark.writeId, token);
  }

  override async end(): Promise<void> {
    // Nothing is published after COMMIT.
  }
}

/** `after-only`: versions are replaced after COMMIT, and that is all. */
export class AfterOnly extends Unmarked {
  override async begin(mark: WriteMark): Promise<void> {
    this.remember(mark);
  }

  override end(writeId: string, _tables: readonly string[], token: string): Promise<void> {
    return this.replace(writeId, token);
  }
}
