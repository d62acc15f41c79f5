/**
 * The counts of writes by source, origin and first statement. Twice as many as are reported are kept; when there are
 * more, those with the fewest writes are summed under the origin `other`.
 */
import type { Invalidation, Regions, WriteSource } from '../core/ports/cache-events.js';
import { brief } from './brief-regions.js';
import { DurationHistogram } from './duration-histogram.js';
import type { WriteReport } from './report.js';
import { mergeWrites } from './sums.js';

const REPORTED = 100;
/** Writes whose transactions have not ended. */
const MAX_OPEN = 1_000;
const OTHER = 'other';

class Counts {
  writes = 0;
  regions = 0;
  localEntries = 0;
  lastAtMs = 0;
  lastRegions: Regions = [];
  readonly publishedMs = new DurationHistogram();

  constructor(readonly of: Pick<WriteReport, 'source' | 'origin' | 'statement'>) {}

  report(): WriteReport {
    const { writes, regions, localEntries, lastAtMs, lastRegions } = this;
    const publishedMs = this.publishedMs.read();
    return { ...this.of, writes, regions, localEntries, publishedMs, lastAtMs, lastRegions };
  }
}

export class WriteCounts {
  readonly #counts = new Map<string, Counts>();
  readonly #others = new Map<WriteSource, WriteReport>();
  /** By write id, the oldest first. */
  readonly #open = new Map<string, Counts>();

  constructor(private readonly reported = REPORTED) {}

  count(
    { writeId, source, origin, statements, regions, localEntries }: Invalidation,
    atMs: number,
  ) {
    const [statement] = statements;
    const key = `${source}\n${statement?.fingerprint ?? ''}\n${origin ?? ''}`;
    let counts = this.#counts.get(key);
    if (!counts) {
      if (this.#counts.size >= 2 * this.reported) this.#compact();
      counts = new Counts({ source, origin, statement });
      this.#counts.set(key, counts);
    }
    counts.writes += 1;
    counts.regions += regions.reduce((sum, { names }) => sum + names.length, 0);
    counts.localEntries += localEntries;
    counts.lastAtMs = atMs;
    counts.lastRegions = brief(regions);
    if (source !== 'service') return;
    this.#open.set(writeId, counts);
    if (this.#open.size > MAX_OPEN) this.#open.delete(this.#open.keys().next().value ?? '');
  }

  concluded(writeId: string, durationMs: number): void {
    this.#open.get(writeId)?.publishedMs.observe(durationMs);
    this.#open.delete(writeId);
  }

  /** The most writes first. */
  report(): readonly WriteReport[] {
    const reports = this.#ranked().map(([, counts]) => counts.report());
    const all = [...reports, ...this.#others.values()];
    return all.sort((a, b) => b.writes - a.writes).slice(0, this.reported);
  }

  #compact(): void {
    for (const [key, counts] of this.#ranked().slice(this.reported)) {
      this.#counts.delete(key);
      const { source } = counts.of;
      const report = { ...counts.report(), origin: OTHER, statement: undefined };
      const other = this.#others.get(source);
      this.#others.set(source, other ? mergeWrites([other, report]) : report);
    }
  }

  #ranked(): [key: string, Counts][] {
    return [...this.#counts].sort(([, a], [, b]) => b.writes - a.writes);
  }
}
