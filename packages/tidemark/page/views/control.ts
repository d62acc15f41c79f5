import type { VNode } from 'preact';
import type { OptionsInForce } from '../../src/page/page-api.js';
import { bytes, count, duration, percent } from '../format.js';
import { html } from '../html.js';
import { callout, heading, section, waiting } from '../parts/bits.js';
import { dataTable } from '../parts/data-table.js';
import { InvalidateForm } from '../parts/invalidate-form.js';
import { ModeSwitch } from '../parts/mode-switch.js';
import { usePage, useResource } from '../use-page.js';

export function ControlView(): VNode {
  const { overview } = usePage();
  const { data, message, refresh } = useResource<OptionsInForce>('options');
  return html`<div>
    ${heading('Control', 'What can be done to the cache, and how it is configured.')}
    ${
      overview.allowActions
        ? html`<div>
            ${section(
              'Invalidate',
              html`<${InvalidateForm} />`,
              'Needed only for changes that neither the service nor the database can see: ends the answers of a region on every instance.',
            )}
            ${data && section('Mode', html`<${ModeSwitch} mode=${data.mode} onChanged=${refresh} />`)}
          </div>`
        : callout(
            'plain',
            'This page is read-only.',
            html`To invalidate and to switch shadow mode here, set
              <code>allowActions: true</code> in <code>CachePageModule.forRoot</code>.`,
          )
    }
    ${section(
      'Options in force',
      data ? optionsTable(data) : waiting(message),
      'Of the instance that answers. Secrets and addresses are left out.',
    )}
  </div>`;
}

type Option = readonly [name: string, value: string | number | boolean];

function optionsTable({ options, mode }: OptionsInForce): VNode {
  const rows: readonly Option[] = [['mode', mode] as const, ...Object.entries(options)];
  return dataTable<Option>({
    label: 'Options in force',
    rows,
    keyOf: ([name]) => name,
    columns: [
      { id: 'name', label: 'Option', cell: ([name]) => html`<span class="name">${name}</span>` },
      { id: 'value', label: 'Value', cell: ([name, value]) => optionText(name, value) },
    ],
  });
}

/** The name of an option carries its unit. */
export function optionText(name: string, value: Option[1]): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value;
  if (/ms$/i.test(name)) return duration(value);
  if (/bytes$/i.test(name)) return bytes(value);
  return name === 'audit' ? `${percent(value)} of hits` : count(value);
}
