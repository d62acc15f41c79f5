/**
 * Reads against writes, by region. At most 2,000 regions are kept: when there are more, the half with the least traffic
 * is forgotten.
 */
import type { Regions } from '../core/ports/cache-events.js';
import type { RegionReport } from './report.js';

const KEPT = 2_000;
const REPORTED = 200;
/** Of one event: the dependencies of an answer may be thousands of values. */
const MAX_OF_EVENT = 64;

interface Counts {
  hits: number;
  misses: number;
  writes: number;
}

export class RegionCounts {
  readonly #tables = new Map<string, Map<string, Counts>>();
  #size = 0;

  constructor(private readonly kept = KEPT) {}

  /** @param count how often the event counts. */
  count(regions: Regions, kind: keyof Counts, count: number): void {
    let left = MAX_OF_EVENT;
    for (const { table, names } of regions) {
      for (const name of names) {
        if (left === 0) return;
        left -= 1;
        this.#of(table, name)[kind] += count;
      }
    }
  }

  /** The busiest first. */
  report(): readonly RegionReport[] {
    return this.#ranked().slice(0, REPORTED);
  }

  #of(table: string, name: string): Counts {
    let names = this.#tables.get(table);
    const known = names?.get(name);
    if (known) return known;
    if (this.#size >= this.kept) {
      this.#compact();
      names = this.#tables.get(table);
    }
    if (!names) {
      names = new Map();
      this.#tables.set(table, names);
    }
    const counts = { hits: 0, misses: 0, writes: 0 };
    names.set(name, counts);
    this.#size += 1;
    return counts;
  }

  #compact(): void {
    const busiest = this.#ranked().slice(0, this.kept / 2);
    this.#tables.clear();
    this.#size = 0;
    for (const { table, region, ...counts } of busiest) {
      Object.assign(this.#of(table, region), counts);
    }
  }

  #ranked(): RegionReport[] {
    const all = [...this.#tables].flatMap(([table, names]) =>
      Array.from(names, ([region, counts]) => ({ table, region, ...counts })),
    );
    const trafficOf = ({ hits, misses, writes }: Counts): number => hits + misses + writes;
    return all.sort((a, b) => trafficOf(b) - trafficOf(a));
  }
}
