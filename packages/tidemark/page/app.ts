/** The page: signs in, holds the connection, and shows the view of the route. */
import { h, type ComponentType, type VNode } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Overview } from '../src/page/page-api.js';
import type { Connection } from './connection.js';
import { html, type Content } from './html.js';
import { ConnectionBanner } from './parts/banner.js';
import { waiting } from './parts/bits.js';
import { SideBar } from './parts/side-bar.js';
import { SignIn } from './parts/sign-in.js';
import { titleOf, type Route, type View } from './routes.js';
import { PageContext, useConnection, useRoute } from './use-page.js';
import { ControlView } from './views/control.js';
import { DoubtView } from './views/doubt.js';
import { LiveView } from './views/live.js';
import { OverviewView } from './views/overview.js';
import { QueriesView } from './views/queries.js';
import { QueryView } from './views/query.js';
import { RegionsView } from './views/regions.js';
import { WritesView } from './views/writes.js';

const COMPONENTS: Readonly<Record<View, ComponentType>> = {
  overview: OverviewView,
  queries: QueriesView,
  live: LiveView,
  writes: WritesView,
  regions: RegionsView,
  doubt: DoubtView,
  control: ControlView,
};

export function App({ connection }: { readonly connection: Connection }): VNode {
  const [route, setParams] = useRoute();
  useConnection(connection);
  const { source } = route.params;
  useEffect(() => connection.open(source), [connection, source]);
  const main = useFocusOnNavigation(route);

  const { state, overview } = connection;
  if (state.kind === 'signed-out') {
    const onSignedIn = (): void => connection.open(source);
    return html`<${SignIn} message=${state.message} onSignedIn=${onSignedIn} />`;
  }
  return html`<div class="page">
    <a class="skip" href="#main" onClick=${skipTo(main)}>Skip to the content</a>
    <${SideBar} route=${route} connection=${connection} />
    <main id="main" ref=${main} tabindex="-1">
      ${
        overview
          ? h(Views, { route, connection, overview, setParams })
          : waiting(state.kind === 'lost' ? state.message : undefined)
      }
    </main>
    <${ConnectionBanner} connection=${connection} />
  </div>`;
}

interface ViewsProps {
  readonly route: Route;
  readonly connection: Connection;
  readonly overview: Overview;
  readonly setParams: ReturnType<typeof useRoute>[1];
}

function Views({ route, connection, overview, setParams }: ViewsProps): VNode {
  const page = useMemo(
    () => ({ route, connection, overview, setParams }),
    [route, connection, overview, setParams],
  );
  const view: Content =
    route.query === undefined
      ? h(COMPONENTS[route.view], {})
      : h(QueryView, { name: route.query, key: route.query });
  return html`<${PageContext.Provider} value=${page}>${view}<//>`;
}

/** Sets the title; after a change of the view, the new heading has the focus and its top is in sight. */
function useFocusOnNavigation(route: Route): { current: HTMLElement | null } {
  const main = useRef<HTMLElement>(null);
  const last = useRef<string>(undefined);
  const title = titleOf(route);
  useEffect(() => {
    document.title = title;
    if (last.current !== undefined && last.current !== title) {
      scrollTo(0, 0);
      (main.current?.querySelector('h1') ?? main.current)?.focus({ preventScroll: true });
    }
    last.current = title;
  }, [title]);
  return main;
}

/** The hash of the address is the route: a link to a part of the page would leave the view. */
function skipTo(main: { current: HTMLElement | null }) {
  return (event: Event): void => {
    event.preventDefault();
    main.current?.focus();
  };
}
