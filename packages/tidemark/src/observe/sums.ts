/** Sums of the reports of several instances. Instances count separately, so a request is in one of them. */
import {
  BUCKETS_MS,
  type AuditReport,
  type Histogram,
  type InstanceReport,
  type MinuteCounts,
  type Outcomes,
  type QueryReport,
  type RegionReport,
  type WriteReport,
} from './report.js';

const MINUTE_MS = 60_000;
const MINUTES = 60;
/** Of a binomial proportion without a success: -ln(1 - 0.95). */
const RULE_OF_THREE = -Math.log(0.05);
/** The quantile of the normal distribution for an upper bound with 95 % confidence. */
const Z95 = 1.645;

type Reports = readonly InstanceReport[];

export const NO_OUTCOMES: Outcomes = {
  l1: 0,
  l2: 0,
  stored: 0,
  notStored: 0,
  joined: 0,
  bypassed: 0,
  failed: 0,
};

export function sumOutcomes(parts: readonly { readonly outcomes: Outcomes }[]): Outcomes {
  const sum: Record<keyof Outcomes, number> = { ...NO_OUTCOMES };
  for (const { outcomes } of parts) {
    for (const name of Object.keys(sum) as (keyof Outcomes)[]) sum[name] += outcomes[name];
  }
  return sum;
}

/** The last 60 minutes of all instances, the current one last. Reports of different minutes are aligned. */
export function sumMinutes(reports: Reports): MinuteCounts[] {
  return alignMinutes(reports, ({ minutes }) => minutes);
}

/** By name, the busiest first. */
export function sumQueries(reports: Reports): QueryReport[] {
  const parts = groupBy(
    reports.flatMap((report) => report.queries.map((query) => ({ report, query }))),
    ({ query }) => query.query,
  );
  const sums = [...parts].map(([name, group]): QueryReport => {
    const queries = group.map(({ query }) => query);
    const latest = group.reduce((one, other) =>
      other.report.atMs > one.report.atMs ? other : one,
    );
    return {
      query: name,
      outcomes: sumOutcomes(queries),
      reasons: sumCounts(queries.map(({ reasons }) => reasons)),
      hitMs: sumHistograms(queries.map(({ hitMs }) => hitMs)),
      fillMs: sumHistograms(queries.map(({ fillMs }) => fillMs)),
      savedMs: total(queries, ({ savedMs }) => savedMs),
      lastBytes: latest.query.lastBytes,
      servedBytes: total(queries, ({ servedBytes }) => servedBytes),
      minutes: alignMinutes(
        group.map(({ report, query }) => ({ atMs: report.atMs, minutes: query.minutes })),
        ({ minutes }) => minutes,
      ),
    };
  });
  return sums.toSorted((a, b) => requestsOf(b.outcomes) - requestsOf(a.outcomes));
}

/** By source, origin and statement, the most writes first. */
export function sumWrites(reports: Reports): WriteReport[] {
  const groups = groupBy(
    reports.flatMap(({ writes }) => writes),
    ({ source, origin, statement }) => JSON.stringify([source, origin, statement?.fingerprint]),
  );
  const sums = [...groups.values()].map((group): WriteReport => {
    const latest = group.reduce((one, other) => (other.lastAtMs > one.lastAtMs ? other : one));
    return {
      ...latest,
      writes: total(group, ({ writes }) => writes),
      regions: total(group, ({ regions }) => regions),
      localEntries: total(group, ({ localEntries }) => localEntries),
      publishedMs: sumHistograms(group.map(({ publishedMs }) => publishedMs)),
    };
  });
  return sums.toSorted((a, b) => b.writes - a.writes);
}

/** By table and region, the most reads and writes first. */
export function sumRegions(reports: Reports): RegionReport[] {
  const groups = groupBy(
    reports.flatMap(({ regions }) => regions),
    ({ table, region }) => JSON.stringify([table, region]),
  );
  const sums = [...groups.values()].flatMap((group): RegionReport[] => {
    const [first] = group;
    if (!first) return [];
    return [
      {
        ...first,
        hits: total(group, ({ hits }) => hits),
        misses: total(group, ({ misses }) => misses),
        writes: total(group, ({ writes }) => writes),
      },
    ];
  });
  const trafficOf = ({ hits, misses, writes }: RegionReport): number => hits + misses + writes;
  return sums.toSorted((a, b) => trafficOf(b) - trafficOf(a));
}

export interface AuditSum extends AuditReport {
  /** With 95 % confidence, at most this share of hits differs from the database; `undefined`: nothing compared yet. */
  readonly maxDifferentShare: number | undefined;
}

/** `share` is the largest one of the instances. */
export function auditOf(reports: readonly Pick<InstanceReport, 'audit'>[]): AuditSum {
  const audits = reports.map(({ audit }) => audit);
  const compared = total(audits, (audit) => audit.compared);
  const different = total(audits, (audit) => audit.different);
  const share = Math.max(0, ...audits.map((audit) => audit.share));
  return { share, compared, different, maxDifferentShare: upperBound(different, compared) };
}

export function requestsOf(outcomes: Outcomes): number {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0);
}

/**
 * A quantile, 0 to 1, interpolated within its bucket, in milliseconds; the last bound for what lies beyond it.
 * `undefined`: nothing was counted.
 */
export function quantileMs(histogram: Histogram, q: number): number | undefined {
  const count = histogram.reduce((sum, bucket) => sum + bucket, 0);
  if (count === 0) return undefined;
  const rank = q * count;
  let below = 0;
  for (const [index, bucket] of histogram.entries()) {
    if (bucket > 0 && below + bucket >= rank) {
      const from = BUCKETS_MS[index - 1] ?? 0;
      const to = BUCKETS_MS[index] ?? from;
      return from + ((to - from) * Math.max(0, rank - below)) / bucket;
    }
    below += bucket;
  }
  return BUCKETS_MS.at(-1);
}

export function sumHistograms(histograms: readonly Histogram[]): Histogram {
  return Array.from({ length: BUCKETS_MS.length + 1 }, (_, bucket) =>
    total(histograms, (histogram) => histogram[bucket] ?? 0),
  );
}

/** Upper bound of a share with 95 % confidence (Wilson's score; the rule of three without a difference). */
function upperBound(different: number, compared: number): number | undefined {
  if (compared === 0) return undefined;
  if (different === 0) return Math.min(1, RULE_OF_THREE / compared);
  const share = different / compared;
  const z = Z95 ** 2 / compared;
  const spread = Z95 * Math.sqrt((share * (1 - share)) / compared + z / (4 * compared));
  return Math.min(1, (share + z / 2 + spread) / (1 + z));
}

function alignMinutes<T extends { readonly atMs: number }>(
  parts: readonly T[],
  minutesOf: (part: T) => readonly MinuteCounts[],
): MinuteCounts[] {
  const current = Math.max(...parts.map(({ atMs }) => Math.floor(atMs / MINUTE_MS)));
  const sums = Array.from({ length: MINUTES }, () => ({ requests: 0, hits: 0, savedMs: 0 }));
  for (const part of parts) {
    const minutes = minutesOf(part);
    const late = current - Math.floor(part.atMs / MINUTE_MS);
    for (const [index, { requests, hits, savedMs }] of minutes.entries()) {
      const sum = sums[MINUTES - minutes.length + index - late];
      if (!sum) continue;
      sum.requests += requests;
      sum.hits += hits;
      sum.savedMs += savedMs;
    }
  }
  return sums;
}

function sumCounts(counts: readonly Readonly<Record<string, number | undefined>>[]) {
  const sums = new Map<string, number>();
  for (const [name, count = 0] of counts.flatMap((part) => Object.entries(part))) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

function total<T>(parts: readonly T[], of: (part: T) => number): number {
  return parts.reduce((sum, part) => sum + of(part), 0);
}

function groupBy<T>(parts: readonly T[], keyOf: (part: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const part of parts) {
    const key = keyOf(part);
    const group = groups.get(key);
    if (group) group.push(part);
    else groups.set(key, [part]);
  }
  return groups;
}
