/** Sums of the reports of several instances. Instances count separately, so a request is in one of them. */
import { MINUTE_MS, MINUTES } from './minute-ring.js';
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

export function sumSaved(parts: readonly { readonly savedMs: number }[]): number {
  return total(parts, ({ savedMs }) => savedMs);
}

interface Minutes {
  readonly atMs: number;
  /** The one of `atMs` last. */
  readonly minutes: readonly MinuteCounts[];
}

/** The last 60 minutes of all parts, the current one last. Parts of different minutes are aligned. */
export function sumMinutes(parts: readonly Minutes[], atMs = latest(parts)): MinuteCounts[] {
  const current = Math.floor(atMs / MINUTE_MS);
  const sums = Array.from({ length: MINUTES }, () => ({ requests: 0, hits: 0, savedMs: 0 }));
  for (const part of parts) {
    const first = MINUTES - part.minutes.length - (current - Math.floor(part.atMs / MINUTE_MS));
    for (const [index, { requests, hits, savedMs }] of part.minutes.entries()) {
      const sum = sums[first + index];
      if (!sum) continue;
      sum.requests += requests;
      sum.hits += hits;
      sum.savedMs += savedMs;
    }
  }
  return sums;
}

/** By name, the busiest first. */
export function sumQueries(reports: Reports): QueryReport[] {
  const atMs = latest(reports);
  const groups = groupBy(
    reports.flatMap((report) => report.queries.map((query) => ({ atMs: report.atMs, query }))),
    ({ query }) => query.query,
  );
  const sums = [...groups].map(([name, group]) => mergeQueries(name, group, atMs));
  return sums.toSorted((a, b) => requestsOf(b.outcomes) - requestsOf(a.outcomes));
}

/** @param parts at least one; the last length is that of the latest. */
export function mergeQueries(
  name: string,
  parts: readonly { readonly atMs: number; readonly query: QueryReport }[],
  atMs: number,
): QueryReport {
  const queries = parts.map(({ query }) => query);
  const last = parts.reduce((one, other) => (other.atMs > one.atMs ? other : one));
  return {
    query: name,
    outcomes: sumOutcomes(queries),
    reasons: sumCounts(queries.map(({ reasons }) => reasons)),
    hitMs: sumHistograms(queries.map(({ hitMs }) => hitMs)),
    fillMs: sumHistograms(queries.map(({ fillMs }) => fillMs)),
    savedMs: sumSaved(queries),
    lastBytes: last.query.lastBytes,
    servedBytes: total(queries, ({ servedBytes }) => servedBytes),
    minutes: sumMinutes(
      parts.map((part) => ({ atMs: part.atMs, minutes: part.query.minutes })),
      atMs,
    ),
  };
}

/** By source, origin and statement, the most writes first. */
export function sumWrites(reports: Reports): WriteReport[] {
  const groups = groupBy(
    reports.flatMap(({ writes }) => writes),
    ({ source, origin, statement }) => JSON.stringify([source, origin, statement?.fingerprint]),
  );
  return [...groups.values()].map(mergeWrites).toSorted((a, b) => b.writes - a.writes);
}

/** @param group at least one. */
export function mergeWrites(group: readonly WriteReport[]): WriteReport {
  return {
    ...group.reduce((one, other) => (other.lastAtMs > one.lastAtMs ? other : one)),
    writes: total(group, ({ writes }) => writes),
    regions: total(group, ({ regions }) => regions),
    localEntries: total(group, ({ localEntries }) => localEntries),
    publishedMs: sumHistograms(group.map(({ publishedMs }) => publishedMs)),
  };
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
  const { l1, l2, stored, notStored, joined, bypassed, failed } = outcomes;
  return l1 + l2 + stored + notStored + joined + bypassed + failed;
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

function latest(parts: readonly { readonly atMs: number }[]): number {
  return parts.reduce((last, { atMs }) => Math.max(last, atMs), 0);
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
