/** What the page counts, and what caused a miss, after a load that the test counts too. */
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import type { TestUser } from '../support/cluster.js';
import { legendOf, mainText, rowsOf, showView } from '../support/page-views.js';
import { listOf, regionOf, type PageStage } from './page-stage.js';

const ROUNDS = 3;

export function describePageCounts(stage: PageStage): void {
  describe('under a load whose answers and writes the test counts', () => {
    let users: readonly TestUser[];

    beforeAll(async () => {
      // What the start of the instances has changed is known to all of them.
      for (const instance of [0, 1, 2] as const) await stage.warm(instance, '/users');
      users = [await stage.createUser(), await stage.createUser(), await stage.createUser()];
      const paths = [
        '/users',
        '/regions',
        ...users.map(listOf),
        ...users.map(({ id }) => `/users/${id}`),
      ];
      for (let round = 0; round < ROUNDS; round += 1) {
        await Promise.all(
          stage.cluster.instances.map(async (instance) => {
            for (const path of [...paths, ...paths]) await stage.load.get(instance, path);
          }),
        );
        await stage.rename((round % 3) as 0 | 1 | 2, users[1] as TestUser);
      }
    });

    it('the overview has the requests, hits and audited hits of three healthy instances', async () => {
      await showView(stage.page, '#/overview', 'Overview');
      const { calls, hits } = stage.load.sum();
      await eventually(async () => {
        const text = await mainText(stage.page);
        expect(text).toContain('All 3 instances are healthy.');
        expect(text).toContain(`${hits} of ${calls} requests in the last hour`);
        const [, different, compared] = /(\d+) of (\d+) compared answers differed/.exec(text) ?? [];
        expect(different).toBe('0');
        expect(Number(compared)).toBeGreaterThan(0);
        expect(Number(compared)).toBeLessThanOrEqual(hits);
      });
      expect((await rowsOf(stage.page, 'Instances')).map(({ Mode }) => Mode)).toEqual(
        Array(3).fill('serve'),
      );
    });

    it('each query has the calls and outcomes of all instances', async () => {
      for (const query of ['users.page', 'users.by-id', 'regions.counts']) {
        await showView(stage.page, '#/queries', 'Queries');
        await eventually(async () => {
          const row = await stage.rowOf('Queries', 'Query', query);
          expect(row?.['Calls']).toBe(String(stage.load.sum(query).calls));
        });
        await stage.page.getByRole('link', { name: query }).click();
        await eventually(async () =>
          expect(await legendOf(stage.page)).toMatchObject(stage.load.of(query)),
        );
        await stage.page.getByRole('img', { name: `${query} depends on` }).waitFor();
      }
    });

    it('writes are counted by route and statement, and the outside writer is apart', async () => {
      const [, , user] = users as [TestUser, TestUser, TestUser];
      const moved = await stage.cluster.instances[2].post(`/regions/${user.region}/move`, {
        to: 'MOVED',
      });
      expect(moved.json).toEqual({ moved: 1 });
      const outsideWrites = async (): Promise<number> =>
        Number((await rowsOf(stage.page, 'Writes from outside'))[0]?.['Writes'] ?? 0);
      await showView(stage.page, '#/writes', 'Writes');
      await eventually(async () => {
        const own = await rowsOf(stage.page, 'Writes of the service');
        const found = own.map((row) => [
          row['Origin'],
          row['First statement']?.replace(/ [0-9a-f]{16}$/, ''),
          row['Writes'],
        ]);
        // Beside the statements of the start.
        expect(found.filter(([origin]) => /users|regions/.test(origin ?? '')).sort()).toEqual([
          ['PATCH /users/:id', 'UPDATE public.users', String(stage.writes.PATCH)],
          ['POST /regions/:region/move', 'UPDATE public.users', '1'],
          ['POST /users', 'INSERT public.users', String(stage.writes.POST)],
        ]);
      });
      // The first one may have been the triggers, at the start.
      const before = await outsideWrites();
      await stage.cluster.sql('UPDATE users SET email = $2 WHERE id = $1', [
        user.id,
        'o@example.com',
      ]);
      await eventually(async () => expect(await outsideWrites()).toBe(before + 1));
    });

    it('regions have reads against writes, and not the values of the rows', async () => {
      const [, user] = users as [TestUser, TestUser, TestUser];
      const { hits, misses } = stage.load.at(listOf(user));
      await showView(stage.page, '#/regions', 'Regions');
      await eventually(async () => {
        // Written by POST once, and by each PATCH.
        expect(
          await stage.rowOf('Regions', 'Region', regionOf('region', user.region)),
        ).toMatchObject({
          Table: 'public.users',
          Hits: String(hits),
          Misses: String(misses),
          Writes: String(stage.writes.PATCH + 1),
        });
      });
      expect(await mainText(stage.page)).not.toContain(user.region);
    });
  });

  it('a miss names the write of another instance that caused it, and the region that it ended', async () => {
    const user = await stage.createUser();
    await stage.warm(0, listOf(user));
    await stage.rename(1, user);
    await eventually(async () => {
      const { headers } = await stage.load.get(stage.cluster.instances[0], listOf(user));
      expect(headers['cache-status']).toBe('tidemark; fwd=miss; stored');
    });
    await showView(stage.page, '#/queries/users.page', 'users.page');
    await eventually(async () => {
      const [latest] = await rowsOf(stage.page, 'Last misses');
      expect(latest?.['Cause']).toMatch(/^ended by UPDATE public\.users of PATCH \/users\/:id, /);
      expect(latest?.['Regions ended']).toBe(`public.users (${regionOf('region', user.region)})`);
    });
  });

  it('live shows requests of its instance as they come, holds them while paused, and filters', async () => {
    const user = await stage.createUser();
    const [instance] = stage.cluster.instances;
    await showView(stage.page, '#/live', 'Live');
    const shown = async (): Promise<readonly string[]> =>
      (await rowsOf(stage.page, 'Requests')).map(
        (row) => `${row['Query']} ${row['Outcome']} ${row['Level']}`,
      );
    await instance.settled(listOf(user));
    await stage.warm(0, listOf(user));
    await eventually(async () => {
      expect((await shown()).slice(-2)).toEqual(['users.page hit L1', 'users.page miss –']);
    });
    await stage.page.getByRole('button', { name: 'Pause' }).click();
    const before = await shown();
    await stage.warm(0, '/regions');
    await stage.page.getByText(/^Paused: \d+ requests? waiting\.$/).waitFor();
    expect(await shown()).toEqual(before);
    await stage.page.getByRole('button', { name: 'Continue' }).click();
    await eventually(async () => expect((await shown())[0]).toBe('regions.counts hit L1'));
    await stage.page.getByRole('searchbox').fill('users.page miss');
    await eventually(async () => expect(await shown()).toEqual(['users.page miss –']));
  });
}
