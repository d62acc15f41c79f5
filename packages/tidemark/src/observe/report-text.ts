/**
 * The text of a report that others read. The minutes of its queries are most of it: they are a flat list of requests and
 * hits in turn, and the time saved in each is derived from the mean of the query.
 */
import type { InstanceReport, MinuteCounts, QueryReport } from './report.js';
import { isPublished, type PublishedReport } from './report-shape.js';

export function textOf(report: InstanceReport): string {
  const queries = report.queries.map((query) => ({ ...query, minutes: flat(query.minutes) }));
  return JSON.stringify({ ...report, queries } satisfies PublishedReport);
}

function flat(minutes: readonly MinuteCounts[]): readonly number[] {
  const numbers: number[] = [];
  for (const { requests, hits } of minutes) numbers.push(requests, hits);
  return numbers;
}

/** `undefined`: the text is no report. */
export function parseReport(text: string): InstanceReport | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPublished(value) ? { ...value, queries: value.queries.map(queryOf) } : undefined;
  } catch {
    return undefined;
  }
}

function queryOf(query: PublishedReport['queries'][number]): QueryReport {
  const { l1, l2 } = query.outcomes;
  const savedMs = query.savedMs / Math.max(1, l1 + l2);
  const minutes: MinuteCounts[] = [];
  for (let at = 0; at + 1 < query.minutes.length; at += 2) {
    const requests = query.minutes[at] ?? 0;
    const hits = query.minutes[at + 1] ?? 0;
    minutes.push({ requests, hits, savedMs: hits * savedMs });
  }
  return { ...query, minutes };
}
