import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { RegionReport } from '../../src/observe/report.js';
import { count, NONE, percent, shareOf } from '../format.js';
import { html } from '../html.js';
import { dataTable, type Column } from '../parts/data-table.js';
import { callout, empty, heading, tag, waiting } from '../parts/bits.js';
import { FilterField } from '../parts/filter-field.js';
import { counted } from '../format.js';
import { matches } from '../sorting.js';
import { isNotWorthCaching, regionName } from '../sums.js';
import { usePage, useResource } from '../use-page.js';

export function RegionsView(): VNode {
  const { route } = usePage();
  const { data, message } = useResource<readonly RegionReport[]>('regions');
  const filter = route.params['filter'] ?? '';
  const rows = useMemo(
    () => (data ?? []).filter((row) => matches(`${row.table} ${regionName(row.region)}`, filter)),
    [data, filter],
  );
  const costly = (data ?? []).filter(isNotWorthCaching).length;
  return html`<div>
    ${heading('Regions', 'Reads against writes. A region is what one write ends: the rows of a table with one value.')}
    ${data === undefined && waiting(message)}
    ${
      data?.length === 0 &&
      empty(
        'No region has been read or written yet.',
        html`Call a route with <code>@CacheQuery</code>, for example <code>GET /users</code>.`,
      )
    }
    ${
      data !== undefined &&
      data.length > 0 &&
      html`<div>
        ${
          costly > 0 &&
          callout(
            'warn',
            `${counted(costly, 'region')} not worth caching: writes end the answers at least as often as they are read.`,
            'Narrow what the queries read to a dimension that is written less, or leave these queries out of the cache.',
          )
        }
        <${FilterField}
          label="Filter by table or region"
          shown=${rows.length}
          total=${data.length}
          noun="region"
        />
        ${dataTable({
          label: 'Regions',
          columns: COLUMNS,
          rows,
          keyOf: ({ table, region }) => `${table} ${region}`,
          order: { column: 'hits', isDescending: true },
          isLong: true,
        })}
      </div>`
    }
  </div>`;
}

const COLUMNS: readonly Column<RegionReport>[] = [
  {
    id: 'region',
    label: 'Region',
    cell: ({ region }) => html`<span class="name">${regionName(region)}</span>`,
    sortBy: ({ region }) => regionName(region),
  },
  {
    id: 'table',
    label: 'Table',
    cell: ({ table }) => html`<span class="name">${table}</span>`,
    sortBy: ({ table }) => table,
  },
  {
    id: 'hits',
    label: 'Hits',
    isNumber: true,
    cell: ({ hits }) => count(hits),
    sortBy: ({ hits }) => hits,
  },
  {
    id: 'misses',
    label: 'Misses',
    isNumber: true,
    cell: ({ misses }) => count(misses),
    sortBy: ({ misses }) => misses,
  },
  {
    id: 'writes',
    label: 'Writes',
    isNumber: true,
    cell: ({ writes }) => count(writes),
    sortBy: ({ writes }) => writes,
  },
  {
    id: 'ratio',
    label: 'Hit ratio',
    isNumber: true,
    cell: ({ hits, misses }) => percent(shareOf(hits, hits + misses)),
    sortBy: ({ hits, misses }) => shareOf(hits, hits + misses),
  },
  {
    id: 'perWrite',
    label: 'Hits a write',
    hint: 'How often an answer is read before a write ends it',
    isNumber: true,
    cell: ({ hits, writes }) => perWrite(hits, writes),
    sortBy: ({ hits, writes }) => shareOf(hits, writes) ?? (hits > 0 ? Infinity : undefined),
  },
  {
    id: 'verdict',
    label: 'Verdict',
    cell: (row) =>
      isNotWorthCaching(row)
        ? tag('warn', 'not worth caching')
        : row.hits > 0
          ? tag('good', 'worth it')
          : html`<span class="muted">too early to say</span>`,
    sortBy: (row) => (isNotWorthCaching(row) ? 0 : row.hits > 0 ? 2 : 1),
  },
];

function perWrite(hits: number, writes: number): string {
  const share = shareOf(hits, writes);
  if (share === undefined) return hits > 0 ? 'no write' : NONE;
  return share < 10 ? share.toFixed(1) : count(share);
}
