import { describe, expect, it } from 'vitest';
import { representatives } from '../support/long-tests.js';
import { modes } from './support/modes.js';
import { expectProblem } from './support/problem.js';
import type { RestService } from './support/rest-service.js';
import { useRestService } from './support/service-tests.js';

describe.each(representatives(modes, 1))('regions over REST, cache $name', (mode) => {
  let service: RestService;

  useRestService(mode, (started) => {
    service = started;
  });

  it('counts the users of each by name', async () => {
    expect((await service.get('/regions')).json).toEqual([]);
    await service.insert(
      { username: 'u1', region: 'US' },
      { username: 'u2', region: 'EU' },
      { username: 'u3', region: 'US' },
    );
    expect((await service.get('/regions')).json).toEqual([
      { region: 'EU', users: 1 },
      { region: 'US', users: 2 },
    ]);
  });

  it('moves all users of one region, and reports how many', async () => {
    await service.insert(
      { username: 'u1', region: 'US' },
      { username: 'u2', region: 'EU' },
      { username: 'u3', region: 'US' },
    );
    const answer = await service.post('/regions/US/move', { to: 'EU' });
    expect([answer.status, answer.json]).toEqual([200, { moved: 2 }]);
    expect((await service.get('/regions')).json).toEqual([{ region: 'EU', users: 3 }]);
    expect((await service.post('/regions/US/move', { to: 'EU' })).json).toEqual({ moved: 0 });
  });

  it.each([
    ['to', '/regions/US/move', { to: 'US' }],
    ['to', '/regions/US/move', { to: '' }],
    ['to', '/regions/US/move', {}],
    ['from', '/regions/US/move', { to: 'EU', from: 'US' }],
    ['region', '/regions/elevenchars/move', { to: 'EU' }],
  ])('refuses, naming %s: POST %s %j', async (field, path, body) => {
    expectProblem(await service.post(path, body), 400, field);
  });
});
