/** Says that the page is not live. It lies over the page, so that nothing moves. */
import type { VNode } from 'preact';
import { html, type Content } from '../html.js';
import type { Connection } from '../connection.js';
import { useNow } from './use-now.js';

export function ConnectionBanner({ connection }: { readonly connection: Connection }): VNode {
  return html`<div class="banner-place" role="status">${contentOf(connection)}</div>`;
}

function contentOf(connection: Connection): Content {
  const { state } = connection;
  const retry = html`<button type="button" onClick=${() => connection.retryNow()}>
    Retry now
  </button>`;
  if (state.kind === 'lost') {
    return html`<div class="banner">
      <p><strong>${state.message}</strong> <${Countdown} atMs=${state.retryAtMs} /></p>
      ${retry}
    </div>`;
  }
  if (state.kind === 'polling') {
    return html`<div class="banner">
      <p>
        <strong>The service opens no further live stream.</strong> The page asks every 5 s, and Live
        is empty: close other windows of this page.
      </p>
      ${retry}
    </div>`;
  }
  return null;
}

function Countdown({ atMs }: { readonly atMs: number }): VNode {
  const leftS = Math.max(0, Math.ceil((atMs - useNow()) / 1_000));
  // Not announced each second.
  return html`<span aria-hidden="true">
    The figures are from before. ${leftS > 0 ? `Next attempt in ${leftS} s.` : 'Trying now.'}
  </span>`;
}
