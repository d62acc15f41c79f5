import type { VNode } from 'preact';
import type { OptionsInForce } from '../../src/page/page-api.js';
import { bytes, count, duration, percent } from '../format.js';
import { html } from '../html.js';
import { callout, heading, section, waiting } from '../parts/bits.js';
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
      data ? optionsList(data) : waiting(message),
      'Of the instance that answers. Secrets and addresses are left out.',
    )}
  </div>`;
}

type OptionValue = string | number | boolean;

function optionsList({ options, mode }: OptionsInForce): VNode {
  // The mode in force comes before the one that the instances were started with.
  const all: readonly (readonly [string, OptionValue])[] = Object.entries({ ...options, mode });
  return html`<dl class="options">
    ${all.map(
      ([name, value]) =>
        html`<div key=${name}>
          <dt class="name">${name}</dt>
          <dd>${optionText(name, value)}</dd>
        </div>`,
    )}
  </dl>`;
}

/** The name of an option carries its unit. */
function optionText(name: string, value: OptionValue): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value;
  if (/ms$/i.test(name)) return duration(value);
  if (/bytes$/i.test(name)) return bytes(value);
  return name === 'audit' ? `${percent(value)} of hits` : count(value);
}
