import { beforeEach, describe, expect, it } from 'vitest';
import { User } from '../../src/users/user.entity.js';
import { modes } from './support/modes.js';
import type { NewUser, RestService } from './support/rest-service.js';
import { useRestService } from './support/service-tests.js';

describe.each(modes)('cached answers about users, cache $name', (mode) => {
  let service: RestService;

  useRestService(mode, (started) => {
    service = started;
  });

  describe('a write', () => {
    const PEOPLE: readonly NewUser[] = [
      { username: 'ada', region: 'US' },
      { username: 'bob', region: 'US' },
      { username: 'eli', region: 'EU' },
      { username: 'fay', region: 'ASIA' },
    ];
    const NEW = { username: 'new', region: 'ASIA', email: 'new@example.com' };
    type Views = Readonly<Record<string, string>>;
    let views: Views;

    beforeEach(async () => {
      const [ada, bob, eli, fay] = await service.insert(...PEOPLE);
      views = {
        US: '/users?region=US',
        EU: '/users?region=EU',
        ASIA: '/users?region=ASIA',
        all: '/users',
        regions: '/regions',
        ada: `/users/${ada}`,
        bob: `/users/${bob}`,
        eli: `/users/${eli}`,
        fay: `/users/${fay}`,
      };
      for (const path of Object.values(views)) await service.warm(path);
    });

    /** The expected answers of the views, computed from the rows. */
    async function expected(): Promise<Record<string, unknown>> {
      const rows = await service.rows();
      const brief = (users: User[]) => users.map(({ id, username }) => ({ id, username }));
      const within = (region: string) => rows.filter((user) => user.region === region);
      const whole = (name: string) => rows.find((user) => views[name] === `/users/${user.id}`);
      const names = [...new Set(rows.map(({ region }) => region))].toSorted();
      return {
        US: brief(within('US')),
        EU: brief(within('EU')),
        ASIA: brief(within('ASIA')),
        all: brief(rows),
        regions: names.map((region) => ({ region, users: within(region).length })),
        ...Object.fromEntries(['ada', 'bob', 'eli', 'fay'].map((name) => [name, whole(name)])),
      };
    }

    async function expectAllFreshAndOnlyTheseStale(stale: readonly string[]): Promise<void> {
      const hits: string[] = [];
      const seen: Record<string, unknown> = {};
      for (const [name, path] of Object.entries(views)) {
        const answer = await service.get(path);
        if (answer.cache === 'hit') hits.push(name);
        seen[name] = answer.status === 404 ? undefined : answer.json;
      }
      expect(seen).toEqual(await expected());
      expect(hits).toEqual(Object.keys(views).filter((name) => !stale.includes(name)));
    }

    interface Write {
      readonly what: string;
      readonly run: () => Promise<unknown>;
      readonly status: number | undefined;
      readonly stale: readonly string[];
    }
    const writes: readonly Write[] = [
      {
        what: 'a user who moves from US to EU',
        run: () => service.patch(views['ada'] ?? '', { region: 'EU' }),
        status: 200,
        stale: ['US', 'EU', 'all', 'regions', 'ada'],
      },
      {
        what: 'a new address in EU',
        run: () => service.patch(views['eli'] ?? '', { email: 'eli@example.org' }),
        status: 200,
        stale: ['EU', 'all', 'regions', 'eli'],
      },
      {
        what: 'a new username in US',
        run: () => service.patch(views['bob'] ?? '', { username: 'bo' }),
        status: 200,
        stale: ['US', 'all', 'regions', 'bob'],
      },
      {
        what: 'a user created in ASIA',
        run: () => service.post('/users', NEW),
        status: 201,
        stale: ['ASIA', 'all', 'regions'],
      },
      {
        what: 'users created in a new region',
        run: () =>
          service.post('/users/batch', {
            users: [1, 2, 3].map((i) => ({ ...NEW, username: `new${i}`, region: 'MARS' })),
          }),
        status: 201,
        stale: ['all', 'regions'],
      },
      {
        what: 'a user deleted in US',
        run: () => service.delete(views['ada'] ?? ''),
        status: 204,
        stale: ['US', 'all', 'regions', 'ada'],
      },
      {
        what: 'a region moved into another',
        run: () => service.post('/regions/ASIA/move', { to: 'EU' }),
        status: 200,
        stale: ['EU', 'ASIA', 'all', 'regions', 'fay'],
      },
      {
        what: 'a region without users moved',
        run: () => service.post('/regions/MARS/move', { to: 'EU' }),
        status: 200,
        stale: [],
      },
      {
        what: 'a taken username',
        run: () => service.post('/users', { ...NEW, username: 'ada' }),
        status: 409,
        stale: [],
      },
      {
        what: 'a batch with a taken username',
        run: () => service.post('/users/batch', { users: [NEW, { ...NEW, username: 'ada' }] }),
        status: 409,
        stale: [],
      },
      {
        what: 'a change of a missing user',
        run: () => service.patch('/users/2147483647', { region: 'EU' }),
        status: 404,
        stale: [],
      },
      {
        what: 'a deletion of a missing user',
        run: () => service.delete('/users/2147483647'),
        status: 404,
        stale: [],
      },
      {
        what: 'a request that is refused',
        run: () => service.patch(views['ada'] ?? '', { region: '' }),
        status: 400,
        stale: [],
      },
      {
        what: 'a transaction that is rolled back',
        run: () => rolledBackMove(),
        status: undefined,
        stale: [],
      },
    ];

    async function rolledBackMove(): Promise<void> {
      const change = new Error('changed my mind');
      const transaction = service.source.transaction(async (manager) => {
        await manager.update(User, { username: 'ada' }, { region: 'EU' });
        await manager.insert(User, NEW);
        throw change;
      });
      await expect(transaction).rejects.toBe(change);
    }

    it.each(writes)('of $what outdates $stale and nothing else', async ({ run, status, stale }) => {
      const result = await run();
      expect((result as { status?: number } | undefined)?.status).toBe(status);
      await expectAllFreshAndOnlyTheseStale(stale);
    });

    it('leaves other answers hits without a single SELECT', async () => {
      await service.patch(views['eli'] ?? '', { region: 'ASIA' });
      service.sql.reset();
      for (const name of ['US', 'ada', 'bob', 'fay']) {
        expect((await service.get(views[name] ?? '')).cache).toBe('hit');
      }
      expect(service.sql.statements).toEqual([]);
    });

    it('of more rows than are distinguished is still seen in every answer', async () => {
      const crowd = Array.from({ length: 150 }, (_, i) => ({ username: `c${i}`, region: 'US' }));
      await service.insert(...crowd);
      for (const path of Object.values(views)) await service.warm(path);
      const answer = await service.post('/regions/US/move', { to: 'EU' });
      expect(answer.json).toEqual({ moved: 152 });
      await expectAllFreshAndOnlyTheseStale([
        ...['US', 'EU', 'all', 'regions'],
        ...['ada', 'bob', 'eli', 'fay'],
      ]);
    });

    it('in a transaction is not shown to other clients before it commits', async () => {
      const ada = views['ada'] ?? '';
      const before = await service.get(ada);
      await service.source.transaction(async (manager) => {
        await manager.update(User, { username: 'ada' }, { region: 'EU' });
        expect((await service.get(ada)).json).toEqual(before.json);
      });
      expect((await service.get(ada)).json).toMatchObject({ region: 'EU' });
    });

    it('is followed by hits again', async () => {
      await service.patch(views['ada'] ?? '', { region: 'EU' });
      const answer = await service.warm(views['EU'] ?? '');
      expect(answer.json).toMatchObject([{ username: 'ada' }, { username: 'eli' }]);
    });
  });
});
