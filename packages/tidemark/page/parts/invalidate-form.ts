/** Ends the answers of a table, or of one region of it. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { RegionReport } from '../../src/observe/report.js';
import type { InvalidateRequest } from '../../src/page/page-api.js';
import { sendJson } from '../api.js';
import { html, type Content } from '../html.js';
import { usePage, useResource } from '../use-page.js';
import { callout } from './bits.js';
import { Confirm } from './confirm.js';

type Region = InvalidateRequest['regions'][number];

export function InvalidateForm(): VNode {
  const { route } = usePage();
  const { data: known } = useResource<readonly RegionReport[]>('regions');
  const [isWhole, setWhole] = useState(true);
  const [fields, setFields] = useState({ table: '', dimension: '', value: '' });
  const [asked, setAsked] = useState<Region>();
  const [done, setDone] = useState<string>();
  const tables = [...new Set(known?.map(({ table }) => table))].sort();
  const dimensions = dimensionsOf(known ?? [], fields.table);

  const field = (
    name: keyof typeof fields,
    label: string,
    example: string,
    options: readonly string[],
  ): VNode =>
    html`<label class="field" key=${name}>
      ${label}
      <input
        name=${name}
        list="${name}-list"
        value=${fields[name]}
        placeholder=${example}
        required
        autocomplete="off"
        spellcheck=${false}
        onInput=${(event: Event) =>
          setFields({ ...fields, [name]: (event.currentTarget as HTMLInputElement).value })}
      />
      <datalist id="${name}-list">
        ${options.map((option) => html`<option key=${option} value=${option} />`)}
      </datalist>
    </label>`;
  const scope = (whole: boolean, label: string): VNode =>
    html`<label class="choice">
      <input
        type="radio"
        name="scope"
        checked=${isWhole === whole}
        onChange=${() => setWhole(whole)}
      />
      ${label}
    </label>`;
  const ask = (event: Event): void => {
    event.preventDefault();
    setDone(undefined);
    const { table, dimension, value } = fields;
    setAsked(isWhole ? { table } : { table, dimension, value });
  };
  const close = (isDone: boolean): void => {
    if (isDone && asked) setDone(`The answers of ${textOf(asked)} have ended on every instance.`);
    setAsked(undefined);
  };

  return html`<div class="action">
    <form class="fields" onSubmit=${ask}>
      <fieldset class="choices">
        <legend class="visually-hidden">What to invalidate</legend>
        ${scope(true, 'A whole table')} ${scope(false, 'One region')}
      </fieldset>
      ${field('table', 'Table', 'public.users', tables)}
      ${!isWhole && field('dimension', 'Dimension', 'region', dimensions)}
      ${!isWhole && field('value', 'Value', 'US', [])}
      <button type="submit" class="danger">Invalidate…</button>
    </form>
    ${
      asked &&
      html`<${Confirm}
        question=${questionOf(asked)}
        action="End the answers"
        act=${() => sendJson('POST', 'invalidate', { regions: [asked] }, route.params['source'])}
        onClose=${close}
      />`
    }
    <div role="status">${done !== undefined && callout('good', done)}</div>
  </div>`;
}

function textOf({ table, dimension, value }: Region): string {
  return dimension === undefined ? table : `${table}, ${dimension} = ${value}`;
}

function questionOf(region: Region): Content {
  return html`End all answers of <strong class="name">${textOf(region)}</strong> on every instance?
    The next reads of each run on the database.`;
}

/** The dimensions of the table that reads and writes have named. */
function dimensionsOf(known: readonly RegionReport[], table: string): readonly string[] {
  const names = known.flatMap((one) => {
    const [, dimension] = /^([^=?]+)[=?]/.exec(one.region) ?? [];
    return one.table === table && dimension !== undefined ? [decodeURIComponent(dimension)] : [];
  });
  return [...new Set(names)].sort();
}
