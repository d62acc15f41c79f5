/** The views as hashes of the page's address, such as `#/queries/users.page?source=reports`. */

export const VIEWS = [
  'overview',
  'queries',
  'live',
  'writes',
  'regions',
  'doubt',
  'control',
] as const;

export type View = (typeof VIEWS)[number];

export const VIEW_TITLES: Readonly<Record<View, string>> = {
  overview: 'Overview',
  queries: 'Queries',
  live: 'Live',
  writes: 'Writes',
  regions: 'Regions',
  doubt: 'Doubt',
  control: 'Control',
};

export interface Route {
  readonly view: View;
  /** One query, in the view `queries`. */
  readonly query: string | undefined;
  /** `source`, and the order and filter of a table. */
  readonly params: Readonly<Record<string, string>>;
}

/** An unknown view is the overview. */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [first = '', ...rest] = path.split('/');
  const view = VIEWS.find((one) => one === first) ?? 'overview';
  const name = rest.join('/');
  return {
    view,
    query: view === 'queries' && name !== '' ? decoded(name) : undefined,
    params: Object.fromEntries(new URLSearchParams(search)),
  };
}

export function hashOf({ view, query, params }: Route): string {
  const path = query === undefined ? view : `${view}/${encodeURIComponent(query)}`;
  const search = new URLSearchParams(params).toString();
  return `#/${path}${search && `?${search}`}`;
}

/** The hash of a view of the same data source. */
export function linkTo(from: Route, view: View, query?: string): string {
  const { source } = from.params;
  return hashOf({ view, query, params: source === undefined ? {} : { source } });
}

export function titleOf({ view, query }: Route): string {
  return `${query ?? VIEW_TITLES[view]} – Tidemark`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
