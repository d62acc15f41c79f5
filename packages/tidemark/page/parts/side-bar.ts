/** The way to the views, the data source, and what concerns the page itself. */
import type { VNode } from 'preact';
import type { Connection } from '../connection.js';
import { sendJson } from '../api.js';
import { html, type Content } from '../html.js';
import { hashOf, linkTo, VIEW_TITLES, VIEWS, type Route } from '../routes.js';
import { icon } from './icons.js';
import { THEMES, useTheme, type Theme } from './theme.js';

interface SideBarProps {
  readonly route: Route;
  readonly connection: Connection;
}

/** The data source of addresses that name none. */
const DEFAULT = 'default';

const THEME_TITLES: Readonly<Record<Theme, string>> = {
  auto: 'Theme: system',
  light: 'Theme: light',
  dark: 'Theme: dark',
};

export function SideBar({ route, connection }: SideBarProps): VNode {
  const [theme, setTheme] = useTheme();
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
  const signOut = async (): Promise<void> => {
    // Without an answer, the cookie stays: it ends by itself.
    await sendJson('DELETE', 'session').catch(() => undefined);
    connection.signedOut('You are signed out.');
  };
  return html`<header class="side">
    <a class="brand" href=${linkTo(route, 'overview')} aria-label="Tidemark, overview">
      ${icon('brand')}<span>Tidemark</span>
    </a>
    <nav aria-label="Views">
      <ul>
        ${VIEWS.map(
          (view) =>
            html`<li key=${view}>
              <a
                href=${linkTo(route, view)}
                aria-current=${route.view === view ? 'page' : undefined}
              >
                ${icon(view)}<span>${VIEW_TITLES[view]}</span>
              </a>
            </li>`,
        )}
      </ul>
    </nav>
    <div class="side-foot">
      ${sourceSelect(route, connection)} ${connectionState(connection)}
      <button type="button" class="quiet" onClick=${() => setTheme(next)}>
        ${icon('theme')}<span>${THEME_TITLES[theme]}</span>
      </button>
      <button type="button" class="quiet" onClick=${() => void signOut()}>
        ${icon('back')}<span>Sign out</span>
      </button>
    </div>
  </header>`;
}

function connectionState({ state }: Connection): VNode {
  const [tone, text] =
    state.kind === 'live'
      ? ['good', 'Live']
      : state.kind === 'lost'
        ? ['bad', 'Connection lost']
        : state.kind === 'polling'
          ? ['warn', 'Every 5 s']
          : ['plain', 'Connecting'];
  return html`<p class="connection connection-${tone}">
    <span class="dot" aria-hidden="true"></span>${text}
  </p>`;
}

function sourceSelect(route: Route, { overview }: Connection): Content {
  const sources = overview?.dataSources ?? [];
  if (sources.length < 2) return null;
  const onChange = (event: Event): void => {
    const { value } = event.currentTarget as HTMLSelectElement;
    const params: Record<string, string> = value === DEFAULT ? {} : { source: value };
    location.hash = hashOf({ view: route.view, query: undefined, params });
  };
  return html`<label class="source">
    <span>Data source</span>
    <select value=${route.params['source'] ?? DEFAULT} onChange=${onChange}>
      ${sources.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    </select>
  </label>`;
}
