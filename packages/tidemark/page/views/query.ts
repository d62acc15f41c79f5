import type { VNode } from 'preact';
import type { MissReport, QueryReport } from '../../src/observe/report.js';
import type { QueryPage, QueryTreatment } from '../../src/page/page-api.js';
import { missCause, REASON_HINTS } from '../causes.js';
import { ago, bytes, count, counted, duration, NONE, percent } from '../format.js';
import { html, type Content } from '../html.js';
import { callout, empty, figures, heading, section, tag, waiting } from '../parts/bits.js';
import { dataTable, type Column } from '../parts/data-table.js';
import { dependencyPicture } from '../parts/dependency-picture.js';
import { HourCharts } from '../parts/hour-charts.js';
import { icon } from '../parts/icons.js';
import { outcomeBar } from '../parts/outcome-bar.js';
import { linkTo } from '../routes.js';
import { sqlParts } from '../sql-words.js';
import { hitRatioOf, regionName, regionsText, requestsOf } from '../sums.js';
import { usePage, useResource } from '../use-page.js';
import { quantileText, reasonsOf } from './queries.js';

export function QueryView({ name }: { readonly name: string }): VNode {
  const { route, overview } = usePage();
  const { data, message, status } = useResource<QueryPage>(`queries/${encodeURIComponent(name)}`);
  return html`<div>
    <a class="back" href=${linkTo(route, 'queries')}>${icon('back')}All queries</a>
    ${heading(html`<span class="name">${name}</span>`, 'One query, on all instances.')}
    ${
      data
        ? queryBody(data, overview.atMs)
        : status === 404
          ? empty(
              'No instance has run this query.',
              html`Its name may be of an earlier release.
                <a href=${linkTo(route, 'queries')}>All queries</a>`,
            )
          : waiting(message)
    }
  </div>`;
}

function queryBody({ query, treatment, misses }: QueryPage, nowMs: number): VNode {
  return html`<div>
    ${keyFigures(query)} ${treatmentSections(query.query, treatment)}
    ${section('The last hour', html`<${HourCharts} minutes=${query.minutes} atMs=${nowMs} />`)}
    ${section('How requests were answered', outcomeBar(query.outcomes))} ${reasonsSection(query)}
    ${section(
      'Last misses',
      misses.length === 0
        ? empty('No miss is remembered.', 'The instances keep the last 100 misses of all queries.')
        : dataTable({
            label: 'Last misses',
            columns: missColumns(nowMs),
            rows: misses,
            keyOf: ({ atMs, key }) => `${atMs} ${key}`,
          }),
      'Why the query ran, and which write had ended the stored answer.',
    )}
  </div>`;
}

function keyFigures(query: QueryReport): VNode {
  const { outcomes, hitMs, fillMs, savedMs, lastBytes, servedBytes } = query;
  const pair = (histogram: typeof hitMs): string =>
    `${quantileText(histogram, 0.5)} / ${quantileText(histogram, 0.95)}`;
  return figures([
    { label: 'Calls', value: count(requestsOf(outcomes)) },
    { label: 'Hit ratio', value: percent(hitRatioOf(outcomes)) },
    { label: 'Hit, p50 / p95', value: pair(hitMs) },
    { label: 'Fill, p50 / p95', value: pair(fillMs) },
    { label: 'Database time saved', value: duration(savedMs) },
    { label: 'Last answer', value: bytes(lastBytes), note: `${bytes(servedBytes)} served` },
  ]);
}

function treatmentSections(name: string, treatment: QueryTreatment | undefined): Content {
  if (!treatment) {
    return section(
      'Treatment',
      empty(
        'The instance that answers has not run this query yet.',
        'Call it once through this instance, or reload the page until another one answers.',
      ),
    );
  }
  if (!treatment.cacheable) {
    const { reason, detail, remedy } = treatment;
    const body = html`${detail !== undefined && html`<p>${detail}</p>`}
      <p><strong>What to change:</strong> ${remedy}</p>`;
    return [
      section('Treatment', callout('warn', `Never cached: ${reason}`, body)),
      section('SQL', sqlBlock(treatment.sql)),
    ];
  }
  const { key, dependencies, entry, sql } = treatment;
  const entryNow = entry
    ? [
        { label: 'Level', value: entry.level === 'L1' ? 'L1, memory' : 'L2, Redis' },
        { label: 'Size', value: bytes(entry.bytes) },
        { label: 'Age', value: duration(entry.ageMs) },
        { label: 'Time left', value: duration(entry.leftMs) },
      ]
    : [{ label: 'Entry', value: 'none now', note: 'It has ended, or was never stored.' }];
  return [
    section(
      'Depends on',
      dependencies.length === 0
        ? callout('plain', 'It reads no table: only time ends its answers.')
        : html`<div class="dependencies">
            ${dependencyPicture({ query: name, tables: dependencies })}
            <ul class="reasons">
              ${dependencies.map(
                ({ table, names, isWhole, reason }) =>
                  html`<li key=${table}>
                    <p>
                      <span class="name">${table}</span> ${isWhole && tag('warn', 'whole table')}
                    </p>
                    <p>
                      ${isWhole ? 'Every write to the table ends the answer: ' : 'Ended by writes to '}
                      ${isWhole ? reason : names.map(regionName).join(', ')}.
                      ${!isWhole && html` <span class="muted">${sentence(reason)}</span>`}
                    </p>
                  </li>`,
              )}
            </ul>
          </div>`,
      'A write to one of these regions ends the answer of the last call.',
    ),
    section(
      'Stored entry',
      html`<div>
        ${figures(entryNow)}
        <p class="key"><span class="muted">Key</span> <code>${key}</code></p>
      </div>`,
      'Of the last call, on the instance that answers.',
    ),
    section('SQL', sqlBlock(sql)),
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function sqlBlock(sql: string): VNode {
  return html`<pre class="sql" tabindex="0" role="group" aria-label="SQL"><code>${sqlParts(sql).map(
    ({ kind, text }) => (kind === 'plain' ? text : html`<span class="sql-${kind}">${text}</span>`),
  )}</code></pre>`;
}

function reasonsSection(query: QueryReport): Content {
  const reasons = reasonsOf(query);
  if (reasons.length === 0) return null;
  return section(
    'Why answers were not stored',
    html`<ul class="reasons">
      ${reasons.map(
        ([reason, times]) =>
          html`<li key=${reason}>
            <p>
              <span class="name">${reason}</span>
              <span class="muted">${counted(times, 'time')}</span>
            </p>
            ${REASON_HINTS[reason] !== undefined && html`<p>${REASON_HINTS[reason]}</p>`}
          </li>`,
      )}
    </ul>`,
  );
}

function missColumns(nowMs: number): readonly Column<MissReport>[] {
  return [
    { id: 'at', label: 'When', cell: ({ atMs }) => ago(atMs, nowMs) },
    { id: 'cause', label: 'Cause', cell: (miss) => missCause(miss, nowMs) },
    {
      id: 'regions',
      label: 'Regions ended',
      cell: ({ outdated }) => (outdated.length > 0 ? regionsText(outdated) : NONE),
    },
    {
      id: 'took',
      label: 'Fill took',
      isNumber: true,
      cell: ({ durationMs }) => duration(durationMs),
    },
    {
      id: 'key',
      label: 'Key',
      cell: ({ key }) => html`<code title=${key}>${key.slice(0, 8)}</code>`,
    },
  ];
}
