import type { VNode } from 'preact';
import type { InstanceSummary, Overview } from '../../src/page/page-api.js';
import {
  ago,
  bytes,
  count,
  counted,
  duration,
  NONE,
  percent,
  shareOf,
  timeOfDay,
} from '../format.js';
import { healthOf, healthOfAll } from '../health.js';
import { html } from '../html.js';
import { auditSentence, ninesOf } from '../nines.js';
import { dataTable, type Column } from '../parts/data-table.js';
import { callout, empty, figures, heading, section, tag } from '../parts/bits.js';
import { HourCharts } from '../parts/hour-charts.js';
import { outcomeBar } from '../parts/outcome-bar.js';
import { hitRatioOf, requestsOf, sumMinutes } from '../sums.js';
import { usePage } from '../use-page.js';

const HOUR_MS = 3_600_000;

export function OverviewView(): VNode {
  const { overview } = usePage();
  const { instances, minutes, outcomes, atMs } = overview;
  const hasRequests = requestsOf(outcomes) > 0;
  return html`<div>
    ${heading('Overview', 'What the cache has done for this data source, on all instances.')}
    ${healthCallout(instances, atMs)} ${keyFigures(overview)}
    ${section(
      'The last hour',
      hasRequests
        ? html`<${HourCharts} minutes=${minutes} atMs=${atMs} />`
        : empty(
            'No query has run yet.',
            html`Call a route with <code>@CacheQuery</code>, for example <code>GET /users</code>.`,
          ),
    )}
    ${
      hasRequests &&
      section(
        'How requests were answered',
        outcomeBar(outcomes),
        'Since each instance has started.',
      )
    }
    ${section(
      'Instances',
      dataTable({
        label: 'Instances',
        columns: instanceColumns(atMs),
        rows: instances,
        keyOf: ({ id }) => id,
      }),
    )}
  </div>`;
}

function keyFigures({ minutes, instances, audit, atMs }: Overview): VNode {
  const hour = sumMinutes(minutes);
  const memory = instances.reduce((sum, one) => sum + one.memory.l1Bytes, 0);
  const memoryMax = instances.reduce((sum, one) => sum + one.memory.l1MaxBytes, 0);
  const entries = instances.reduce((sum, one) => sum + one.memory.l1Entries, 0);
  const modes = [...new Set(instances.map(({ mode }) => mode))].join(', ');
  const last = minutes.at(-2);
  return figures([
    {
      label: 'Hit ratio',
      value: percent(shareOf(hour.hits, hour.requests)),
      note: `${count(hour.hits)} of ${counted(hour.requests, 'request')} in the last hour`,
    },
    {
      label: 'Requests in the last hour',
      value: count(hour.requests),
      note: last ? `${count(last.requests / 60)} a second in the last minute` : undefined,
    },
    {
      label: 'Database time saved',
      value: duration(hour.savedMs),
      note: `in the last hour${connectionsText(hour.savedMs / HOUR_MS)}`,
    },
    {
      label: 'Measured nines',
      value: ninesOf(audit) ?? NONE,
      note: auditSentence(audit),
    },
    {
      label: 'Memory of entries',
      value: bytes(memory),
      note: `${counted(entries, 'entry', 'entries')}; ${percent(shareOf(memory, memoryMax))} of ${bytes(memoryMax)}`,
    },
    {
      label: 'Mode',
      value: modes || NONE,
      note: `as of ${timeOfDay(atMs)}`,
    },
  ]);
}

/** How many connections would have run queries all the time. */
function connectionsText(connections: number): string {
  return connections < 0.1 ? '' : `: the work of ${connections.toFixed(1)} connections`;
}

function healthCallout(instances: readonly InstanceSummary[], nowMs: number): VNode {
  const { tone, text } = healthOfAll(instances, nowMs);
  const troubled = instances.filter((one) => healthOf(one, nowMs).tone !== 'good');
  const details = troubled.map(
    (one) =>
      html`<p key=${one.id}>
        <strong>${one.host}</strong
        ><span class="aside">${one.pid}</span> ${healthOf(one, nowMs).text}
      </p>`,
  );
  return callout(tone, text, troubled.length > 0 ? details : undefined);
}

function instanceColumns(nowMs: number): readonly Column<InstanceSummary>[] {
  return [
    {
      id: 'instance',
      label: 'Instance',
      cell: ({ host, pid, isThis }) => [
        html`<span class="name">${host}</span>`,
        html`<span class="aside">${pid}</span>`,
        isThis && html`<div>${tag('plain', 'answers this page')}</div>`,
      ],
    },
    {
      id: 'health',
      label: 'Health',
      cell: (instance) => {
        const { tone } = healthOf(instance, nowMs);
        return tag(tone, { good: 'healthy', bad: 'degraded', warn: 'silent', plain: '' }[tone]);
      },
    },
    { id: 'mode', label: 'Mode', cell: ({ mode }) => mode },
    {
      id: 'requests',
      label: 'Requests',
      isNumber: true,
      cell: ({ outcomes }) => count(requestsOf(outcomes)),
    },
    {
      id: 'ratio',
      label: 'Hit ratio',
      isNumber: true,
      cell: ({ outcomes }) => percent(hitRatioOf(outcomes)),
    },
    {
      id: 'entries',
      label: 'Entries',
      isNumber: true,
      cell: ({ memory }) => count(memory.l1Entries),
    },
    {
      id: 'memory',
      label: 'Memory',
      hint: 'Memory of entries',
      isNumber: true,
      cell: ({ memory }) => `${bytes(memory.l1Bytes)} of ${bytes(memory.l1MaxBytes)}`,
    },
    {
      id: 'rss',
      label: 'Process',
      hint: 'Resident memory of the process',
      isNumber: true,
      cell: ({ memory }) => bytes(memory.rssBytes),
    },
    { id: 'release', label: 'Release', cell: ({ release }) => release },
    {
      id: 'started',
      label: 'Started',
      isNumber: true,
      cell: ({ startedAtMs }) => ago(startedAtMs, nowMs),
    },
  ];
}
