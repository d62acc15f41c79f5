/** Requests of the last hour and the hits among them, as a drawing of a line's height. */
import type { VNode } from 'preact';
import type { MinuteCounts } from '../../src/observe/report.js';
import { html } from '../html.js';

const WIDTH = 72;
const HEIGHT = 22;

export function sparkline(minutes: readonly MinuteCounts[]): VNode {
  const max = Math.max(1, ...minutes.map(({ requests }) => requests));
  const all = areaOf(minutes.map(({ requests }) => requests / max));
  const hits = areaOf(minutes.map((minute) => minute.hits / max));
  return html`<svg
    class="sparkline"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    width=${WIDTH}
    height=${HEIGHT}
    aria-hidden="true"
  >
    <path class="spark-requests" d=${all} />
    <path class="spark-hits" d=${hits} />
  </svg>`;
}

function areaOf(shares: readonly number[]): string {
  const step = WIDTH / Math.max(1, shares.length - 1);
  const points = shares.map((share, index) => {
    const y = HEIGHT - 1 - share * (HEIGHT - 2);
    return `${(index * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M0 ${HEIGHT}L${points.join('L')}L${WIDTH} ${HEIGHT}Z`;
}
