/** How requests were answered, as one bar with its legend. */
import type { VNode } from 'preact';
import type { Outcomes } from '../../src/observe/report.js';
import { count, percent, shareOf } from '../format.js';
import { html } from '../html.js';
import { requestsOf } from '../sums.js';

const OUTCOMES: readonly (readonly [keyof Outcomes, string])[] = [
  ['l1', 'Hit in memory (L1)'],
  ['l2', 'Hit in Redis (L2)'],
  ['joined', 'Shared another fill'],
  ['stored', 'Miss, stored'],
  ['notStored', 'Miss, not stored'],
  ['bypassed', 'Bypassed the cache'],
  ['failed', 'Failed'],
];

export function outcomeBar(outcomes: Outcomes): VNode {
  const total = requestsOf(outcomes);
  let x = 0;
  const parts = OUTCOMES.map(([name, label]) => {
    const part = { name, label, value: outcomes[name], x, share: outcomes[name] / (total || 1) };
    x += part.share * 100;
    return part;
  });
  return html`<div class="outcomes">
    <svg class="outcome-bar" aria-hidden="true" width="100%" height="14">
      ${parts.map(
        (part) =>
          html`<rect
            key=${part.name}
            class="outcome-${part.name}"
            x="${part.x}%"
            width="${part.share * 100}%"
            height="14"
          />`,
      )}
    </svg>
    <ul class="legend">
      ${parts.map(
        ({ name, label, value }) =>
          html`<li key=${name}>
            <svg class="swatch" aria-hidden="true" width="10" height="10">
              <rect class="outcome-${name}" width="10" height="10" rx="2" />
            </svg>
            <span class="legend-label">${label}</span>
            <span class="num">${percent(shareOf(value, total))}</span>
            <span class="num muted">${count(value)}</span>
          </li>`,
      )}
    </ul>
  </div>`;
}
