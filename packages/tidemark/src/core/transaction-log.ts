/**
 * What one open transaction has touched, savepoint by savepoint. A savepoint that is rolled back gives its part up;
 * one that is released merges into the part before it.
 */
import { mergeTouched, type TouchedTable } from './touched-regions.js';

/** The tables touched, or `anything` after a statement that may have written to any table. */
export type Touched = ReadonlyMap<string, TouchedTable> | 'all-tables';

class Part {
  readonly tables = new Map<string, TouchedTable>();
  isAnything = false;

  constructor(readonly savepoint?: string) {}

  add(touched: TouchedTable | 'all-tables'): void {
    if (touched === 'all-tables') {
      this.isAnything = true;
      return;
    }
    const before = this.tables.get(touched.table);
    this.tables.set(touched.table, before ? mergeTouched(before, touched) : touched);
  }

  addAll({ tables, isAnything }: Part): void {
    for (const touched of tables.values()) this.add(touched);
    this.isAnything ||= isAnything;
  }
}

export class TransactionLog {
  /** More may have been touched than is known here: the server is asked before COMMIT. */
  mayHaveMore = false;
  /** What no ROLLBACK TO undoes. */
  #first = new Part();
  /** The open savepoints, the latest last. */
  #savepoints: Part[] = [];

  add(touched: TouchedTable | 'all-tables'): void {
    this.#last.add(touched);
  }

  /** What a statement has touched that may set and end savepoints by itself: no ROLLBACK TO is known to undo it. */
  addForGood(touched: TouchedTable | 'all-tables'): void {
    this.#first.add(touched);
  }

  savepoint(name: string): void {
    this.#savepoints.push(new Part(name));
  }

  /** RELEASE also releases the savepoints set after the named one. */
  release(name: string): void {
    const released = this.#takeFrom(name);
    for (const part of released) this.#last.addAll(part);
  }

  /** ROLLBACK TO undoes what came after the savepoint and keeps the savepoint itself. */
  rollbackTo(name: string): void {
    if (this.#takeFrom(name).length > 0) this.savepoint(name);
  }

  get isAnything(): boolean {
    return [this.#first, ...this.#savepoints].some(({ isAnything }) => isAnything);
  }

  touched(): Touched {
    if (this.isAnything) return 'all-tables';
    const all = new Part();
    for (const part of [this.#first, ...this.#savepoints]) all.addAll(part);
    return all.tables;
  }

  /** The tables touched, without saying how. */
  tables(): readonly string[] | 'all-tables' {
    const touched = this.touched();
    return touched === 'all-tables' ? touched : [...touched.keys()];
  }

  /** The transaction has ended, either way. */
  clear(): void {
    this.#first = new Part();
    this.#savepoints = [];
    this.mayHaveMore = false;
  }

  /** Removes the latest savepoint of that name, which hides earlier ones of the name, and those set after it. */
  #takeFrom(name: string): Part[] {
    const index = this.#savepoints.findLastIndex(({ savepoint }) => savepoint === name);
    return index === -1 ? [] : this.#savepoints.splice(index);
  }

  get #last(): Part {
    return this.#savepoints.at(-1) ?? this.#first;
  }
}
