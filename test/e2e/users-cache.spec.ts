import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { User } from '../../src/users/user.entity.js';
import type { RedisServer } from '../support/redis-server.js';
import { createDatabase } from '../support/shared-postgres.js';
import { modes } from './support/modes.js';
import { expectProblem } from './support/problem.js';
import { RestService, type NewUser } from './support/rest-service.js';

describe.each(modes)('cached answers about users, cache $name', (mode) => {
  let redis: RedisServer | undefined;
  let service: RestService;

  beforeAll(async () => {
    redis = await mode.startCache();
    service = await RestService.start({
      DATABASE_URL: await createDatabase(),
      REDIS_URL: redis?.url,
    });
  });
  afterAll(async () => {
    await service?.stop();
    await redis?.stop();
  });
  beforeEach(() => service.removeAll());

  describe('a hit', () => {
    it('follows a miss, is the same to the byte, and runs no SQL', async () => {
      await service.insert({ username: 'ada', region: 'US' });
      const miss = await service.settled('/users?region=US');
      expect(miss.headers['cache-status']).toBe('tidemark; fwd=miss; stored');
      service.sql.reset();
      const hit = await service.get('/users?region=US');
      expect(hit.headers['cache-status']).toMatch(/^tidemark; hit; ttl=\d+; detail=L1$/);
      expect(hit.body.equals(miss.body)).toBe(true);
      expect(hit.headers['content-type']).toBe(miss.headers['content-type']);
      expect(hit.headers['etag']).toBe(miss.headers['etag']);
      expect(service.sql.statements).toEqual([]);
    });

    it('keeps the link to the next page', async () => {
      const [, bob] = await service.insert(
        { username: 'ada', region: 'US' },
        { username: 'bob', region: 'US' },
        { username: 'eli', region: 'US' },
      );
      const path = '/users?region=US&limit=2';
      const link = `<${path}&after=${bob}>; rel="next"`;
      const miss = await service.settled(path);
      const hit = await service.warm(path);
      expect([miss.headers['link'], hit.headers['link']]).toEqual([link, link]);
    });

    it.each([
      ['/users?region=US&limit=5', '/users?limit=5&region=US'],
      ['/users', '/users?limit=1000'],
      ['/regions', '/regions?'],
    ])('answers %s and %s from one entry', async (path, other) => {
      await service.insert({ username: 'ada', region: 'US' });
      await service.warm(path);
      expect((await service.get(other)).cache).toBe('hit');
    });

    it.each([
      ['/users?region=US', '/users?region=EU'],
      ['/users?region=US', '/users'],
      ['/users?limit=1', '/users?limit=2'],
      ['/users?limit=1', '/users?limit=1&after=2147483647'],
    ])('of %s does not answer %s', async (path, other) => {
      await service.insert(
        { username: 'ada', region: 'US' },
        { username: 'bob', region: 'EU' },
        { username: 'eli', region: 'US' },
      );
      const first = await service.warm(path);
      const second = await service.get(other);
      expect(second.cache).toBe('miss');
      expect(second.json).not.toEqual(first.json);
    });

    it('tells clients to ask again, and how old it is', async () => {
      await service.insert({ username: 'ada', region: 'US' });
      const { headers } = await service.warm('/users');
      expect(headers['cache-control']).toBe('private, no-cache');
      expect(headers['vary']).toMatch(/accept-encoding/i);
      expect(headers['age']).toMatch(/^\d+$/);
    });

    it.each([
      ['br', brotliDecompressSync],
      ['gzip', gunzipSync],
    ])('in %s is the same answer', async (encoding, decode) => {
      const users = Array.from({ length: 200 }, (_, i) => ({ username: `u${i}`, region: 'US' }));
      await service.insert(...users);
      const plain = await service.warm('/users');
      const packed = await service.get('/users', { 'accept-encoding': encoding });
      expect(packed.headers['content-encoding']).toBe(encoding);
      expect(packed.body.length).toBeLessThan(plain.body.length);
      expect(decode(packed.body).equals(plain.body)).toBe(true);
      expect(packed.headers['etag']).not.toBe(plain.headers['etag']);
    });
  });

  describe('an entity tag', () => {
    it('spares the body while nothing has changed', async () => {
      const [id] = await service.insert({ username: 'ada', region: 'US' });
      const { headers } = await service.warm('/users');
      const etag = headers['etag'] ?? '';
      expect(etag).toMatch(/^"[^"]+"$/);
      service.sql.reset();
      const same = await service.get('/users', { 'if-none-match': etag });
      expect([same.status, same.body.length, same.headers['etag']]).toEqual([304, 0, etag]);
      expect(service.sql.statements).toEqual([]);

      const asked = await service.head('/users', { 'if-none-match': etag });
      expect([asked.status, asked.headers['etag']]).toEqual([304, etag]);

      await service.patch(`/users/${id}`, { username: 'bea' });
      const changed = await service.get('/users', { 'if-none-match': etag });
      expect([changed.status, changed.json]).toEqual([200, [{ id, username: 'bea' }]]);
    });
  });

  it('answers 304 with the tag of what the client holds, in whatever coding', async () => {
    await service.insert(
      ...Array.from({ length: 100 }, (_, i) => ({ username: `user${i}`, region: 'US' })),
    );
    const plain = (await service.warm('/users')).headers['etag'] ?? '';
    const br = { 'accept-encoding': 'br' };
    const packed = (await service.get('/users', br)).headers['etag'] ?? '';
    expect(packed).not.toBe(plain);
    for (const held of [plain, packed]) {
      const same = await service.get('/users', { ...br, 'if-none-match': held });
      expect([same.status, same.headers['etag']]).toEqual([304, held]);
      expect(same.headers['vary']).toBe('Accept-Encoding');
      expect(same.headers['cache-control']).toBe('private, no-cache');
      expect(same.cache).toBe('hit');
    }
  });

  describe('a fill', () => {
    it('happens once for all who ask together', async () => {
      await service.insert({ username: 'ada', region: 'US' });
      await service.settled('/users?region=other');
      service.sql.reset();
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => service.get('/users?region=US')),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
      expect(service.sql.selectsFrom('users')).toHaveLength(1);
    });
  });

  describe('somebody who was not there', () => {
    it('is remembered as absent, and found once created', async () => {
      const [before] = await service.insert({ username: 'before', region: 'US' });
      const next = `/users/${Number(before) + 1}`;
      const absent = await service.warm(next);
      expectProblem(absent, 404);
      service.sql.reset();
      expect((await service.get(next)).status).toBe(404);
      expect(service.sql.statements).toEqual([]);

      const created = await service.post('/users', {
        username: 'ada',
        region: 'US',
        email: 'ada@example.com',
      });
      expect(created.headers['location']).toBe(next);
      expect(await service.get(next)).toMatchObject({ status: 200, json: { username: 'ada' } });
    });
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

    /** What the views must show, worked out from the rows themselves. */
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
        what: 'users created in a region of their own',
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
        what: 'a change of nobody',
        run: () => service.patch('/users/2147483647', { region: 'EU' }),
        status: 404,
        stale: [],
      },
      {
        what: 'a deletion of nobody',
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

    it('leaves what it did not touch without a single SELECT', async () => {
      await service.patch(views['eli'] ?? '', { region: 'ASIA' });
      service.sql.reset();
      for (const name of ['US', 'ada', 'bob', 'fay']) {
        expect((await service.get(views[name] ?? '')).cache).toBe('hit');
      }
      expect(service.sql.statements).toEqual([]);
    });

    it('of more rows than are told apart is still seen in every answer', async () => {
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

    it('in a transaction is not shown to others before it commits', async () => {
      const ada = views['ada'] ?? '';
      const before = await service.get(ada);
      await service.source.transaction(async (manager) => {
        await manager.update(User, { username: 'ada' }, { region: 'EU' });
        expect((await service.get(ada)).json).toEqual(before.json);
      });
      expect((await service.get(ada)).json).toMatchObject({ region: 'EU' });
    });

    it('ends up in the cache again', async () => {
      await service.patch(views['ada'] ?? '', { region: 'EU' });
      const answer = await service.warm(views['EU'] ?? '');
      expect(answer.json).toMatchObject([{ username: 'ada' }, { username: 'eli' }]);
    });
  });
});
