/** Small parts of views. */
import type { VNode } from 'preact';
import { html, type Content } from '../html.js';
import type { Tone } from '../health.js';
import { icon } from './icons.js';

/** A state in a word or two. */
export function tag(tone: Tone, text: string): VNode {
  return html`<span class="tag tag-${tone}">${text}</span>`;
}

/** A message with what to do. */
export function callout(tone: Tone, title: string, body?: Content): VNode {
  return html`<div class="callout callout-${tone}">
    ${icon(tone)}
    <div>
      <p class="callout-title">${title}</p>
      ${body !== undefined && html`<div class="callout-body">${body}</div>`}
    </div>
  </div>`;
}

/** Stands where there is nothing yet, and says how to get something. */
export function empty(title: string, remedy: Content): VNode {
  return html`<div class="empty">
    ${icon('brand')}
    <p class="empty-title">${title}</p>
    <p>${remedy}</p>
  </div>`;
}

export interface Figure {
  readonly label: string;
  readonly value: Content;
  readonly note?: Content;
}

/** Labelled numbers in a row. */
export function figures(all: readonly Figure[]): VNode {
  return html`<dl class="figures">
    ${all.map(
      ({ label, value, note }) =>
        html`<div class="figure" key=${label}>
          <dt>${label}</dt>
          <dd class="figure-value">${value}</dd>
          ${note !== undefined && html`<dd class="figure-note">${note}</dd>`}
        </div>`,
    )}
  </dl>`;
}

/** A part of a view with its heading. */
export function section(title: string, content: Content, intro?: Content): VNode {
  const id = title.toLowerCase().replace(/\W+/g, '-');
  return html`<section class="section" aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    ${intro !== undefined && html`<p class="intro">${intro}</p>`} ${content}
  </section>`;
}

export function heading(title: Content, intro: Content): VNode {
  return html`<header class="heading">
    <h1 tabindex="-1">${title}</h1>
    <p class="intro">${intro}</p>
  </header>`;
}

/** While nothing has come yet: the message of a failure, or a sign of life that does not flicker. */
export function waiting(message: string | undefined): VNode {
  if (message !== undefined) return callout('bad', 'This could not be loaded.', message);
  return html`<p class="waiting" role="status">Loading</p>`;
}
