import type { VNode } from 'preact';
import type { DoubtReport, MarkReport } from '../../src/observe/report.js';
import type { Doubt } from '../../src/page/page-api.js';
import { ago, counted, duration } from '../format.js';
import { html, type Content } from '../html.js';
import { dataTable } from '../parts/data-table.js';
import { callout, heading, section, tag, waiting } from '../parts/bits.js';
import {
  EPOCH_CAUSES,
  markAdvice,
  relayAdvice,
  terminate,
  triggerAdvice,
  type Advice,
} from '../remedies.js';
import { usePage, useResource } from '../use-page.js';

type InstanceDoubt = Doubt['instances'][number];

/** A finding and the instances that report it. */
type Found<T> = T & { readonly instances: readonly InstanceDoubt[] };

export function DoubtView(): VNode {
  const { overview } = usePage();
  const { data, message } = useResource<Doubt>('doubt');
  const title = heading(
    'Doubt',
    'What keeps reads from the cache now. Doubt costs speed, never the truth: such reads ask the database.',
  );
  if (!data) return html`<div>${title} ${waiting(message)}</div>`;
  const { instances } = data;
  return html`<div>
    ${title} ${problemsSection(instances)} ${marksSection(instances)}
    ${awaitedSection(instances, overview.atMs)} ${epochsSection(instances, overview.atMs)}
    ${relaySection(instances)} ${triggersSection(instances)}
  </div>`;
}

/** Equal findings once, with all instances that have them: marks and triggers are of the whole service. */
function gather<T>(
  instances: readonly InstanceDoubt[],
  pick: (doubt: DoubtReport) => readonly T[],
  keyOf: (one: T) => string,
): readonly Found<{ readonly key: string; readonly of: T }>[] {
  const found = new Map<string, { key: string; of: T; instances: InstanceDoubt[] }>();
  for (const instance of instances) {
    for (const of of pick(instance)) {
      const key = keyOf(of);
      const known = found.get(key);
      if (known) known.instances.push(instance);
      else found.set(key, { key, of, instances: [instance] });
    }
  }
  return [...found.values()];
}

const nameOf = ({ host, pid }: InstanceDoubt): string => `${host} (${pid})`;

function remedyCell({ remedy, command }: Pick<Advice, 'remedy' | 'command'>): Content {
  if (remedy === undefined) return html`<span class="muted">Nothing to do.</span>`;
  return html`<span class="wrap">
    ${remedy} ${command !== undefined && html`<code class="command">${command}</code>`}
  </span>`;
}

function problemsSection(instances: readonly InstanceDoubt[]): VNode {
  const problems = gather(
    instances,
    ({ problems: all }) => all,
    (text) => text,
  );
  return section(
    'Problems',
    problems.length === 0
      ? callout('good', 'No instance reports a problem.')
      : problems.map(
          ({ key, of, instances: those }) =>
            html`<div key=${key}>
              ${callout('bad', of, `Reported by ${those.map(nameOf).join(', ')}.`)}
            </div>`,
        ),
  );
}

function marksSection(instances: readonly InstanceDoubt[]): VNode {
  const marks = gather(
    instances,
    (doubt) => doubt.marks,
    ({ table, writeId }) => `${table} ${writeId}`,
  );
  type Row = (typeof marks)[number];
  return section(
    'Marks',
    marks.length === 0
      ? callout('good', 'No write is under way.')
      : dataTable<Row>({
          label: 'Marks',
          rows: marks,
          keyOf: ({ key }) => key,
          columns: [
            {
              id: 'table',
              label: 'Table',
              cell: ({ of }) => html`<span class="name">${of.table}</span>`,
            },
            { id: 'holder', label: 'Holder', cell: ({ of }) => holderText(of) },
            { id: 'lease', label: 'Lease', cell: ({ of }) => adviceTag(markAdvice(of)) },
            { id: 'todo', label: 'What to do', cell: ({ of }) => remedyCell(markAdvice(of)) },
            { id: 'write', label: 'Write', cell: ({ of }) => html`<code>${of.writeId}</code>` },
          ],
        }),
    'A mark says that a write may commit at any moment: answers of its regions are neither served nor stored.',
  );
}

function holderText({ backendPid }: MarkReport): string {
  return backendPid === 0 ? 'no transaction' : `PostgreSQL backend ${backendPid}`;
}

function adviceTag({ tone, state }: Advice): VNode {
  return tag(tone, state);
}

function awaitedSection(instances: readonly InstanceDoubt[], nowMs: number): VNode {
  const awaited = gather(
    instances,
    (doubt) => doubt.awaited,
    ({ backendPid }) => String(backendPid),
  );
  type Row = (typeof awaited)[number];
  return section(
    'Awaited transactions',
    awaited.length === 0
      ? callout('good', 'No transaction is awaited.')
      : dataTable<Row>({
          label: 'Awaited transactions',
          rows: awaited,
          keyOf: ({ key }) => key,
          columns: [
            { id: 'pid', label: 'Backend', cell: ({ of }) => of.backendPid },
            {
              id: 'application',
              label: 'Application',
              cell: ({ of }) => of.application || 'unnamed',
            },
            {
              id: 'since',
              label: 'Since',
              cell: ({ of }) =>
                of.since === undefined
                  ? 'unknown: the role may not see it'
                  : ago(Date.parse(of.since), nowMs),
            },
            {
              id: 'todo',
              label: 'What to do',
              cell: ({ of }) =>
                remedyCell({
                  remedy: 'Wait for it, or end it:',
                  command: terminate(of.backendPid),
                }),
            },
            {
              id: 'by',
              label: 'Awaited by',
              cell: ({ instances: those }) => those.map(nameOf).join(', '),
            },
          ],
        }),
    'They may have written before an epoch was replaced: some tables are cached again when they have ended.',
  );
}

function epochsSection(instances: readonly InstanceDoubt[], nowMs: number): VNode {
  const rows = instances
    .flatMap((instance) => instance.epochs.map((epoch) => ({ ...epoch, instance })))
    .sort((a, b) => b.atMs - a.atMs);
  return section(
    'Epochs',
    rows.length === 0
      ? callout('good', 'No epoch has been replaced.')
      : dataTable<(typeof rows)[number]>({
          label: 'Epochs',
          rows,
          keyOf: ({ instance, table, atMs }) => `${instance.id} ${table} ${atMs}`,
          columns: [
            {
              id: 'table',
              label: 'Table',
              cell: ({ table }) => html`<span class="name">${table}</span>`,
            },
            {
              id: 'state',
              label: 'State',
              cell: ({ isSettled }) =>
                isSettled ? tag('good', 'settled') : tag('warn', 'settling'),
            },
            { id: 'cause', label: 'Replaced because', cell: ({ cause }) => EPOCH_CAUSES[cause] },
            { id: 'at', label: 'When', cell: ({ atMs }) => ago(atMs, nowMs) },
            { id: 'by', label: 'By', cell: ({ instance }) => nameOf(instance) },
          ],
        }),
    'A new epoch ends all answers of its table. While it settles, its reads go to the database.',
  );
}

function relaySection(instances: readonly InstanceDoubt[]): VNode {
  const rows = instances.flatMap(({ relay, ...instance }) =>
    relay ? [{ id: instance.id, name: `${instance.host} (${instance.pid})`, relay }] : [],
  );
  return section(
    'Relay',
    rows.length === 0
      ? callout('plain', 'No instance has a relay: this data source has no write side.')
      : dataTable<(typeof rows)[number]>({
          label: 'Relay',
          rows,
          keyOf: ({ id }) => id,
          columns: [
            {
              id: 'instance',
              label: 'Instance',
              cell: ({ name }) => html`<span class="name">${name}</span>`,
            },
            { id: 'state', label: 'State', cell: ({ relay }) => adviceTag(relayAdvice(relay)) },
            {
              id: 'lag',
              label: 'Last lag',
              isNumber: true,
              cell: ({ relay }) => duration(relay.lastLagMs),
            },
            {
              id: 'backlog',
              label: 'Backlog',
              isNumber: true,
              cell: ({ relay }) =>
                relay.backlogRows === undefined ? 'unknown' : counted(relay.backlogRows, 'row'),
            },
            {
              id: 'age',
              label: 'Oldest row',
              isNumber: true,
              cell: ({ relay }) => duration(relay.backlogAgeMs),
            },
            {
              id: 'relayed',
              label: 'Relayed',
              isNumber: true,
              cell: ({ relay }) => counted(relay.relayedRows, 'row'),
            },
            {
              id: 'todo',
              label: 'What to do',
              cell: ({ relay }) => remedyCell(relayAdvice(relay)),
            },
          ],
        }),
    'One instance takes the writes of other writers out of the outbox.',
  );
}

function triggersSection(instances: readonly InstanceDoubt[]): VNode {
  const triggers = gather(
    instances,
    (doubt) => doubt.triggers,
    ({ table, state }) => `${table} ${state}`,
  );
  type Row = (typeof triggers)[number];
  return section(
    'Triggers',
    triggers.length === 0
      ? callout(
          'plain',
          'No table is known to need triggers yet.',
          'A table is known when a query or write of it has run.',
        )
      : dataTable<Row>({
          label: 'Triggers',
          rows: triggers,
          keyOf: ({ key }) => key,
          columns: [
            {
              id: 'table',
              label: 'Table',
              cell: ({ of }) => html`<span class="name">${of.table}</span>`,
            },
            { id: 'state', label: 'State', cell: ({ of }) => adviceTag(triggerAdvice(of.state)) },
            {
              id: 'todo',
              label: 'What to do',
              cell: ({ of }) => remedyCell(triggerAdvice(of.state)),
            },
          ],
        }),
    'They say what each write has changed, and let writers outside the service be seen.',
  );
}
