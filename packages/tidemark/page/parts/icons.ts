/** Drawings of 24 by 24, in the colour of the text. They are decoration: names stand beside them. */
import type { VNode } from 'preact';
import { html } from '../html.js';
import type { Tone } from '../health.js';
import type { View } from '../routes.js';

const PATHS: Readonly<Record<View | Tone | 'brand' | 'theme' | 'back', string>> = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  queries: 'M4 6h16M4 12h16M4 18h10',
  live: 'M3 12h4l3-7 4 14 3-7h4',
  writes: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  regions: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  doubt: 'M9 9a3 3 0 1 1 4.2 2.8c-.8.4-1.2 1-1.2 2.2M12 17.5v.1M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  control: 'M4 7h9M17 7h3M4 17h3M11 17h9M13 4.5v5M7 14.5v5',
  good: 'M5 12.5l4.5 4.5L19 7.5',
  warn: 'M12 4L2.5 20h19zM12 10v4.5M12 17.2v.1',
  bad: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7.5v5.5M12 16v.1',
  plain: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v5.5M12 7.8v.1',
  brand: 'M3 6h18M3 12.5q2.25-2.5 4.5 0t4.5 0 4.5 0 4.5 0M3 18.5q2.25-2.5 4.5 0t4.5 0 4.5 0 4.5 0',
  theme: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
  back: 'M14 6l-6 6 6 6',
};

export function icon(name: keyof typeof PATHS): VNode {
  return html`<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`;
}
