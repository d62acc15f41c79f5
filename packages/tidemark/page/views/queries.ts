import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Histogram, QueryReport } from '../../src/observe/report.js';
import { REASON_HINTS } from '../causes.js';
import { bytes, count, duration, NONE, percent } from '../format.js';
import { quantile } from '../histogram.js';
import { html, type Content } from '../html.js';
import { dataTable, type Column } from '../parts/data-table.js';
import { empty, heading, waiting } from '../parts/bits.js';
import { FilterField } from '../parts/filter-field.js';
import { sparkline } from '../parts/sparkline.js';
import { linkTo, type Route } from '../routes.js';
import { matches } from '../sorting.js';
import { hitRatioOf, requestsOf } from '../sums.js';
import { usePage, useResource } from '../use-page.js';

export function QueriesView(): VNode {
  const { route } = usePage();
  const { data, message } = useResource<readonly QueryReport[]>('queries');
  const filter = route.params['filter'] ?? '';
  const rows = useMemo(
    () => (data ?? []).filter(({ query }) => matches(query, filter)),
    [data, filter],
  );
  const columns = useMemo(() => columnsOf(route), [route.params['source']]);
  return html`<div>
    ${heading('Queries', 'Each query by its name, on all instances since they have started.')}
    ${data === undefined ? waiting(message) : data.length === 0 ? nothingYet() : null}
    ${
      data !== undefined &&
      data.length > 0 &&
      html`<div>
        <${FilterField}
          label="Filter by name"
          shown=${rows.length}
          total=${data.length}
          noun="query"
          plural="queries"
        />
        ${dataTable({
          label: 'Queries',
          columns,
          rows,
          keyOf: ({ query }) => query,
          order: { column: 'calls', isDescending: true },
          isLong: true,
        })}
      </div>`
    }
  </div>`;
}

function nothingYet(): VNode {
  return empty(
    'No query has run yet.',
    html`Call a route with <code>@CacheQuery</code>, for example <code>GET /users</code>, or run a
      query by <code>QueryCache.run</code>.`,
  );
}

/** A quantile as a cell; one beyond the last bucket is only bounded from below. */
export function quantileText(histogram: Histogram, q: number): string {
  const found = quantile(histogram, q);
  if (!found) return NONE;
  return found.isBeyond ? `> ${duration(found.ms)}` : duration(found.ms);
}

function columnsOf(route: Route): readonly Column<QueryReport>[] {
  const ms = (id: string, label: string, of: 'hitMs' | 'fillMs', q: number) => ({
    id,
    label,
    isNumber: true,
    cell: (row: QueryReport) => quantileText(row[of], q),
    sortBy: (row: QueryReport) => quantile(row[of], q)?.ms,
  });
  return [
    {
      id: 'query',
      label: 'Query',
      cell: ({ query }) =>
        html`<a class="name" href=${linkTo(route, 'queries', query)} title=${query}>${query}</a>`,
      sortBy: ({ query }) => query,
    },
    {
      id: 'calls',
      label: 'Calls',
      isNumber: true,
      cell: ({ outcomes }) => count(requestsOf(outcomes)),
      sortBy: ({ outcomes }) => requestsOf(outcomes),
    },
    {
      id: 'ratio',
      label: 'Ratio',
      hint: 'Hits of calls',
      isNumber: true,
      cell: ({ outcomes }) => percent(hitRatioOf(outcomes)),
      sortBy: ({ outcomes }) => hitRatioOf(outcomes),
    },
    ms('hit50', 'Hit p50', 'hitMs', 0.5),
    ms('hit95', 'Hit p95', 'hitMs', 0.95),
    ms('fill50', 'Fill p50', 'fillMs', 0.5),
    ms('fill95', 'Fill p95', 'fillMs', 0.95),
    {
      id: 'saved',
      label: 'Saved',
      hint: 'Database time that hits have saved',
      isNumber: true,
      cell: ({ savedMs }) => duration(savedMs),
      sortBy: ({ savedMs }) => savedMs,
    },
    {
      id: 'size',
      label: 'Size',
      hint: 'Length of the last answer',
      isNumber: true,
      cell: ({ lastBytes }) => bytes(lastBytes),
      sortBy: ({ lastBytes }) => lastBytes,
    },
    {
      id: 'served',
      label: 'Served',
      hint: 'Bytes of bodies served from the cache',
      isNumber: true,
      cell: ({ servedBytes }) => bytes(servedBytes),
      sortBy: ({ servedBytes }) => servedBytes,
    },
    {
      id: 'reasons',
      label: 'Bypasses',
      hint: 'Answers that were not stored, by reason',
      cell: reasonsCell,
      sortBy: (row) => reasonsOf(row).reduce((sum, [, times]) => sum + times, 0) || undefined,
    },
    {
      id: 'hour',
      label: 'Last hour',
      hint: 'Requests by minute, and the hits among them',
      cell: ({ minutes }) => sparkline(minutes),
      sortBy: ({ minutes }) => minutes.reduce((sum, { requests }) => sum + requests, 0),
    },
  ];
}

/** Why answers were not stored, the most frequent reason first. */
export function reasonsOf({ reasons }: QueryReport): readonly (readonly [string, number])[] {
  return Object.entries(reasons)
    .map(([reason, times]) => [reason, times ?? 0] as const)
    .sort(([, a], [, b]) => b - a);
}

function reasonsCell(row: QueryReport): Content {
  const [first, ...others] = reasonsOf(row);
  if (!first) return html`<span class="muted">none</span>`;
  const [reason, times] = first;
  const title = [first, ...others].map(([name, each]) => `${name}: ${count(each)}`).join(', ');
  const hint = REASON_HINTS[reason];
  return html`<span title=${hint === undefined ? title : `${title}. ${hint}`}>
    ${reason} <span class="muted num">${count(times)}</span>${
      others.length > 0 && html`<span class="muted"> +${others.length}</span>`
    }
  </span>`;
}
