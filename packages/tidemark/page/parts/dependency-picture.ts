/** The plan of a query's dependencies as a picture. The list beside it says the same in words. */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Regions } from '../../src/core/ports/cache-events.js';
import { planOf, type PlanBox } from '../dependency-plan.js';
import { counted } from '../format.js';
import { component, html } from '../html.js';

interface PictureProps {
  readonly query: string;
  readonly tables: Regions;
}

export function dependencyPicture(props: PictureProps): VNode {
  return component(DependencyPicture, props);
}

function DependencyPicture({ query, tables }: PictureProps): VNode {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!box.current) return;
    const resized = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    resized.observe(box.current);
    return () => resized.disconnect();
  }, []);
  const plan = planOf(query, tables, Math.max(width, 240));
  const regions = tables.reduce((sum, { names }) => sum + names.length, 0);
  const label = `${query} depends on ${counted(regions, 'region')} of ${counted(tables.length, 'table')}`;
  return html`<div class="picture" ref=${box}>
    ${
      width > 0 &&
      html`<svg role="img" aria-label=${label} width=${plan.width} height=${plan.height}>
        ${plan.lines.map((line) => html`<path key=${line} class="picture-line" d=${line} />`)}
        ${plan.boxes.map((one, index) => pictureBox(one, index))}
      </svg>`
    }
  </div>`;
}

/** Width of a character of the font, in pixels. */
const CHARACTER = 7.3;
const PADDING = 12;

function pictureBox({ kind, x, y, width, height, text, isWhole }: PlanBox, index: number): VNode {
  const most = Math.floor((width - 2 * PADDING) / CHARACTER);
  const short = text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
  return html`<g key=${index} class="picture-${kind} ${isWhole ? 'picture-whole' : ''}">
    <title>${text}</title>
    <rect x=${x + 0.5} y=${y + 0.5} width=${width - 1} height=${height - 1} rx="6" />
    <text x=${x + PADDING} y=${y + height / 2} dominant-baseline="central">${short}</text>
  </g>`;
}
