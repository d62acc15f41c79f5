import type { VNode } from 'preact';
import type { WriteReport } from '../../src/observe/report.js';
import { originText } from '../causes.js';
import { ago, count } from '../format.js';
import { quantile } from '../histogram.js';
import { html } from '../html.js';
import { dataTable, type Column } from '../parts/data-table.js';
import { empty, heading, section, waiting } from '../parts/bits.js';
import { regionsText } from '../sums.js';
import { usePage, useResource } from '../use-page.js';
import { quantileText } from './queries.js';

export function WritesView(): VNode {
  const { overview } = usePage();
  const { data, message } = useResource<readonly WriteReport[]>('writes');
  const intro = 'What has ended answers: transactions by their origin and first statement.';
  if (!data) return html`<div>${heading('Writes', intro)} ${waiting(message)}</div>`;
  const own = data.filter(({ source }) => source !== 'outside');
  const outside = data.filter(({ source }) => source === 'outside');
  return html`<div>
    ${heading('Writes', intro)}
    ${section(
      'Of the service',
      own.length === 0
        ? empty(
            'The service has written nothing yet.',
            html`Write by TypeORM, for example <code>PATCH /users/1</code>.`,
          )
        : writesTable('Writes of the service', 'own', ownColumns(overview.atMs), own),
    )}
    ${section(
      'From outside',
      outside.length === 0
        ? empty(
            'No write from outside has been seen.',
            html`Writers such as psql, jobs and other services are seen through triggers: Doubt says
            whether these are installed.`,
          )
        : writesTable('Writes from outside', 'outside', outsideColumns(overview.atMs), outside),
      'Seen through the outbox, which the triggers of the tables fill.',
    )}
  </div>`;
}

function writesTable(
  label: string,
  orderParam: string,
  columns: readonly Column<WriteReport>[],
  rows: readonly WriteReport[],
): VNode {
  return dataTable({
    label,
    columns,
    rows,
    keyOf: ({ source, origin, statement }) => `${source} ${origin} ${statement?.fingerprint}`,
    order: { column: 'writes', isDescending: true },
    orderParam,
  });
}

const STATEMENT: Column<WriteReport> = {
  id: 'statement',
  label: 'First statement',
  cell: ({ statement, source }) =>
    statement
      ? html`<span class="name">${statement.title}</span>
          <code class="muted fingerprint">${statement.fingerprint}</code>`
      : html`<span class="muted">${source === 'invalidate' ? 'none' : 'unknown'}</span>`,
  sortBy: ({ statement }) => statement?.title,
};

function countsOf(nowMs: number): readonly Column<WriteReport>[] {
  return [
    {
      id: 'writes',
      label: 'Writes',
      isNumber: true,
      cell: ({ writes }) => count(writes),
      sortBy: ({ writes }) => writes,
    },
    {
      id: 'regions',
      label: 'Regions',
      hint: 'Regions ended',
      isNumber: true,
      cell: ({ regions }) => count(regions),
      sortBy: ({ regions }) => regions,
    },
    {
      id: 'entries',
      label: 'Entries',
      hint: 'Entries ended in the memory of the instances',
      isNumber: true,
      cell: ({ localEntries }) => count(localEntries),
      sortBy: ({ localEntries }) => localEntries,
    },
    {
      id: 'last',
      label: 'Last',
      isNumber: true,
      cell: ({ lastAtMs }) => ago(lastAtMs, nowMs),
      sortBy: ({ lastAtMs }) => lastAtMs,
    },
    {
      id: 'lastRegions',
      label: 'Last regions',
      cell: ({ lastRegions }) => html`<span class="wrap">${regionsText(lastRegions)}</span>`,
    },
  ];
}

function ownColumns(nowMs: number): readonly Column<WriteReport>[] {
  const published = (id: string, label: string, q: number): Column<WriteReport> => ({
    id,
    label,
    hint: 'From the publication of the write to the end of its transaction',
    isNumber: true,
    cell: ({ publishedMs }) => quantileText(publishedMs, q),
    sortBy: ({ publishedMs }) => quantile(publishedMs, q)?.ms,
  });
  const [writes, regions, entries, ...others] = countsOf(nowMs);
  return [
    {
      id: 'origin',
      label: 'Origin',
      cell: (write) =>
        html`<span class=${write.origin === undefined ? 'wrap muted' : 'name'}>
          ${originText(write)}
        </span>`,
      sortBy: originText,
    },
    STATEMENT,
    ...[writes, regions, entries].filter((column) => column !== undefined),
    published('end50', 'To end p50', 0.5),
    published('end95', 'To end p95', 0.95),
    ...others,
  ];
}

function outsideColumns(nowMs: number): readonly Column<WriteReport>[] {
  return [STATEMENT, ...countsOf(nowMs)];
}
