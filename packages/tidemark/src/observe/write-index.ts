/** Finds the write that has ended an answer: the last writes of each region, for a bounded number of regions. */
import type { Regions } from '../core/ports/cache-events.js';
import type { RecentWrite } from './report.js';
import { WHOLE_TABLE } from '../core/versions.js';

const KEPT_REGIONS = 2_000;
const WRITES_OF_REGION = 4;
/** Of one write. */
const MAX_OF_WRITE = 64;
/** The clocks of two instances may differ so much. */
export const TOLERANCE_MS = 1_000;

/** A write that names no region of the table: it has ended those that it does not name too. */
const UNNAMED = '';
const ALL_TABLES = '*';

interface KnownWrite {
  readonly write: RecentWrite;
  /** The earliest time, on the clock of this instance, at which it may have ended answers. */
  readonly fromMs: number;
}

export class WriteIndex {
  /** The least recently written region first. */
  readonly #writes = new Map<string, readonly KnownWrite[]>();

  /**
   * Adds a write of this instance.
   *
   * @param regions all that it has ended; the write has the first ones.
   */
  addOwn(write: RecentWrite, regions: Regions): void {
    this.#add({ write, fromMs: write.atMs }, regions);
  }

  /** Adds a write of another instance, whose clock may differ. */
  addOther(write: RecentWrite): void {
    this.#add({ write, fromMs: write.atMs - TOLERANCE_MS }, write.regions);
  }

  /**
   * The last known write to one of the regions at that time; without one, the first of those that may have come before it
   * by another clock.
   */
  find(regions: Regions, atMs: number): RecentWrite | undefined {
    let last: RecentWrite | undefined;
    let next: RecentWrite | undefined;
    for (const { write, fromMs } of this.#candidates(regions)) {
      if (write.atMs <= atMs) {
        if (last === undefined || write.atMs > last.atMs) last = write;
      } else if (fromMs <= atMs && (next === undefined || write.atMs < next.atMs)) next = write;
    }
    return last ?? next;
  }

  /** All answers of the table have ended by themselves. */
  forget(table: string): void {
    for (const key of this.#writes.keys()) {
      if (key.startsWith(`${table}\n`)) this.#writes.delete(key);
    }
  }

  #add(known: KnownWrite, regions: Regions): void {
    let left = MAX_OF_WRITE;
    for (const { table, names } of regions) {
      if (names.every((name) => name === WHOLE_TABLE)) this.#put(table, UNNAMED, known);
      for (const name of names) {
        if (left === 0) return;
        left -= 1;
        this.#put(table, name, known);
      }
    }
  }

  *#candidates(regions: Regions): Iterable<KnownWrite> {
    for (const { table, names } of regions) {
      for (const name of [...names.slice(0, MAX_OF_WRITE), UNNAMED]) {
        yield* this.#writes.get(keyOf(table, name)) ?? [];
      }
    }
    yield* this.#writes.get(keyOf(ALL_TABLES, UNNAMED)) ?? [];
  }

  #put(table: string, name: string, added: KnownWrite): void {
    const key = keyOf(table, name);
    const known = this.#writes.get(key) ?? [];
    if (known.some(({ write }) => write.writeId === added.write.writeId)) return;
    this.#writes.delete(key);
    this.#writes.set(key, [...known.slice(1 - WRITES_OF_REGION), added]);
    if (this.#writes.size <= KEPT_REGIONS) return;
    const [oldest] = this.#writes.keys();
    if (oldest !== undefined) this.#writes.delete(oldest);
  }
}

function keyOf(table: string, name: string): string {
  return `${table}\n${name}`;
}
