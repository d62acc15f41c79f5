/** A field that filters a table; its text is in the route. */
import type { VNode } from 'preact';
import { html } from '../html.js';
import { counted } from '../format.js';
import { usePage } from '../use-page.js';

interface FilterFieldProps {
  readonly label: string;
  readonly shown: number;
  readonly total: number;
  /** What is filtered, in the singular. */
  readonly noun: string;
  readonly plural?: string;
}

export function FilterField({ label, shown, total, noun, plural }: FilterFieldProps): VNode {
  const { route, setParams } = usePage();
  const filter = route.params['filter'] ?? '';
  const all = counted(total, noun, plural);
  return html`<div class="filter">
    <label class="field">
      <span class="visually-hidden">${label}</span>
      <input
        type="search"
        placeholder=${label}
        value=${filter}
        spellcheck=${false}
        autocomplete="off"
        onInput=${(event: Event) =>
          setParams({ filter: (event.currentTarget as HTMLInputElement).value })}
      />
    </label>
    <span class="muted num" role="status">${shown === total ? all : `${shown} of ${all}`}</span>
  </div>`;
}
