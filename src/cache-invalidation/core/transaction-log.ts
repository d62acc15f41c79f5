/**
 * What one open transaction has touched, savepoint by savepoint. A savepoint that is rolled back
 * gives its part up; one that is released merges into the part before it.
 */
import { mergeTouched, type TouchedTable } from '../../query-cache/core/touched-regions.js';

/** The tables touched, or `anything` after a statement that may have written whatever it liked. */
export type Touched = ReadonlyMap<string, TouchedTable> | 'anything';

interface Frame {
  /** `undefined` for the part before the first savepoint. */
  readonly savepoint: string | undefined;
  readonly tables: Map<string, TouchedTable>;
  anything: boolean;
}

export class TransactionLog {
  /** More may have been touched than is known here: the server is asked before COMMIT. */
  mayHaveMore = false;
  #frames: Frame[] = [newFrame(undefined)];

  add(touched: TouchedTable | 'anything'): void {
    addTo(this.#top(), touched);
  }

  /** What a statement has touched that may set and end savepoints by itself: no ROLLBACK TO is known to undo it. */
  addForGood(touched: TouchedTable | 'anything'): void {
    const [first] = this.#frames;
    if (first) addTo(first, touched);
  }

  savepoint(name: string): void {
    this.#frames.push(newFrame(name));
  }

  /** RELEASE also releases the savepoints set after the named one. */
  release(name: string): void {
    const from = this.#indexOf(name);
    if (from === undefined) return;
    const released = this.#frames.splice(from);
    for (const { tables, anything } of released) {
      for (const touched of tables.values()) addTo(this.#top(), touched);
      if (anything) addTo(this.#top(), 'anything');
    }
  }

  /** ROLLBACK TO undoes what came after the savepoint and keeps the savepoint itself. */
  rollbackTo(name: string): void {
    const from = this.#indexOf(name);
    if (from === undefined) return;
    this.#frames.splice(from, this.#frames.length - from, newFrame(name));
  }

  get isAnything(): boolean {
    return this.#frames.some(({ anything }) => anything);
  }

  touched(): Touched {
    if (this.isAnything) return 'anything';
    const all = newFrame(undefined);
    for (const { tables } of this.#frames) {
      for (const touched of tables.values()) addTo(all, touched);
    }
    return all.tables;
  }

  /** The tables touched, without saying how. */
  tables(): readonly string[] | 'anything' {
    const touched = this.touched();
    return touched === 'anything' ? touched : [...touched.keys()];
  }

  /** The transaction has ended, either way. */
  clear(): void {
    this.#frames = [newFrame(undefined)];
    this.mayHaveMore = false;
  }

  /** The latest savepoint of that name: a name may be used again and then hides the earlier one. */
  #indexOf(name: string): number | undefined {
    const index = this.#frames.findLastIndex(({ savepoint }) => savepoint === name);
    return index === -1 ? undefined : index;
  }

  #top(): Frame {
    const top = this.#frames.at(-1);
    if (!top) throw new Error('A transaction log has lost its first frame.');
    return top;
  }
}

function newFrame(savepoint: string | undefined): Frame {
  return { savepoint, tables: new Map(), anything: false };
}

function addTo(frame: Frame, touched: TouchedTable | 'anything'): void {
  if (touched === 'anything') {
    frame.anything = true;
    return;
  }
  const before = frame.tables.get(touched.table);
  frame.tables.set(touched.table, before ? mergeTouched(before, touched) : touched);
}
