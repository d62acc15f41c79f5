import { describe, expect, it } from 'vitest';
import { hashOf, linkTo, parseRoute, titleOf } from './routes.js';

describe('routes', () => {
  it.each(['', '#', '#/', '#/unknown', '#/overview'])('%j is the overview', (hash) => {
    expect(parseRoute(hash)).toEqual({ view: 'overview', query: undefined, params: {} });
  });

  it.each([
    { view: 'queries', query: undefined, params: { sort: '-calls', filter: 'a b' } },
    { view: 'queries', query: 'users/of?region=%', params: { source: 'reports' } },
    { view: 'live', query: undefined, params: {} },
  ] as const)('a route survives its hash: %j', (route) => {
    expect(parseRoute(hashOf(route))).toEqual(route);
  });

  it('takes a name as it is where it is not percent-encoded', () => {
    expect(parseRoute('#/queries/100%').query).toBe('100%');
  });

  it('keeps the data source in links, and leaves order and filter behind', () => {
    const from = parseRoute('#/queries?source=reports&sort=-calls&filter=x');
    expect(linkTo(from, 'doubt')).toBe('#/doubt?source=reports');
    expect(linkTo(from, 'queries', 'a/b')).toBe('#/queries/a%2Fb?source=reports');
  });

  it('names the view or the query in the title', () => {
    expect(titleOf(parseRoute('#/doubt'))).toBe('Doubt – Tidemark');
    expect(titleOf(parseRoute('#/queries/users.page'))).toBe('users.page – Tidemark');
  });
});
