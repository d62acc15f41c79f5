/** The page of the cache in a real browser, over three instances: what it says is what the test has done. */
import { createHash } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitingCommit, whileCommitsWait } from '../faults/support/commit-wait.js';
import { OUTBOX } from '../faults/support/outbox.js';
import { accessibilityFaults, openPage, startBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { Cluster, type TestUser } from './support/cluster.js';
import { CountedLoad } from './support/counted-load.js';
import { OtherSite } from './support/other-site.js';
import {
  legendOf,
  mainText,
  openSignedIn,
  rowsOf,
  showView,
  type Row,
} from './support/page-views.js';

const STARTING_MS = 180_000;
const TOKEN = 'the-token-of-three-instances';
const ROUNDS = 3;

let cluster: Cluster;
let browser: Browser;
let page: Page;
let faults: readonly string[];
let users: readonly TestUser[];
const load = new CountedLoad();
const writes = { POST: 0, PATCH: 0 };

beforeAll(async () => {
  [cluster, browser] = await Promise.all([
    Cluster.start({ CACHE_ADMIN_TOKEN: TOKEN, CACHE_ADMIN_ACTIONS: 'true', CACHE_AUDIT: '1' }),
    startBrowser(),
  ]);
  ({ page, faults } = await openSignedIn(browser, cluster.instances[0].process.url, TOKEN));
}, STARTING_MS);
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
});
afterEach(() => {
  expect(faults).toEqual([]);
});

const listOf = ({ region }: TestUser): string => `/users?region=${region}`;

/** As the page shows a region: the value itself is a secret. */
const regionOf = (dimension: string, value: string | number): string => {
  const name = `public.users\0${dimension}=${value}`;
  return `${dimension} = ${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
};

async function createUser(): Promise<TestUser> {
  writes.POST += 1;
  return cluster.createUser();
}

async function rename(writer: 0 | 1 | 2, { id }: TestUser): Promise<void> {
  writes.PATCH += 1;
  const answer = await cluster.instances[writer].patch(`/users/${id}`, {
    username: `renamed-${writes.PATCH}`,
  });
  expect(answer.status).toBe(200);
}

const rowOf = async (table: string, column: string, value: string): Promise<Row | undefined> =>
  (await rowsOf(page, table)).find((row) => row[column] === value);

/** Reads until the answer is a hit, and counts all reads. */
const warm = (instance: 0 | 1 | 2, path: string): Promise<void> =>
  eventually(async () => {
    expect((await load.get(cluster.instances[instance], path)).cache).toBe('hit');
  });

describe('under a load whose answers and writes the test counts', () => {
  beforeAll(async () => {
    users = [await createUser(), await createUser(), await createUser()];
    const paths = [
      '/users',
      '/regions',
      ...users.map(listOf),
      ...users.map(({ id }) => `/users/${id}`),
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(
        cluster.instances.map(async (instance) => {
          for (const path of [...paths, ...paths]) await load.get(instance, path);
        }),
      );
      await rename((round % 3) as 0 | 1 | 2, users[0] as TestUser);
    }
  });

  it('the overview has the requests, hits and audited hits of three healthy instances', async () => {
    await showView(page, '#/overview', 'Overview');
    const { calls, hits } = load.sum();
    await eventually(async () => {
      const text = await mainText(page);
      expect(text).toContain('All 3 instances are healthy.');
      expect(text).toContain(`${hits} of ${calls} requests in the last hour`);
      const [, different, compared] = /(\d+) of (\d+) compared answers differed/.exec(text) ?? [];
      expect(different).toBe('0');
      expect(Number(compared)).toBeGreaterThan(0);
      expect(Number(compared)).toBeLessThanOrEqual(hits);
    });
    expect((await rowsOf(page, 'Instances')).map(({ Mode }) => Mode)).toEqual(
      Array(3).fill('serve'),
    );
  });

  it('each query has the calls and outcomes of all instances', async () => {
    for (const query of ['users.page', 'users.by-id', 'regions.counts']) {
      await showView(page, '#/queries', 'Queries');
      await eventually(async () => {
        const row = await rowOf('Queries', 'Query', query);
        expect(row?.['Calls']).toBe(String(load.sum(query).calls));
      });
      await page.getByRole('link', { name: query }).click();
      await eventually(async () => expect(await legendOf(page)).toMatchObject(load.of(query)));
      await page.getByRole('img', { name: `${query} depends on` }).waitFor();
    }
  });

  it('writes are counted by route and statement, and the outside writer is apart', async () => {
    const [, , user] = users as [TestUser, TestUser, TestUser];
    const moved = await cluster.instances[2].post(`/regions/${user.region}/move`, { to: 'MOVED' });
    expect(moved.json).toEqual({ moved: 1 });
    await cluster.sql('UPDATE users SET email = $2 WHERE id = $1', [user.id, 'o@example.com']);
    await showView(page, '#/writes', 'Writes');
    await eventually(async () => {
      const own = await rowsOf(page, 'Writes of the service');
      const found = own.map((row) => [
        row['Origin'],
        row['First statement']?.replace(/ [0-9a-f]{16}$/, ''),
        row['Writes'],
      ]);
      expect(found.sort()).toEqual([
        ['PATCH /users/:id', 'UPDATE public.users', String(writes.PATCH)],
        ['POST /regions/:region/move', 'UPDATE public.users', '1'],
        ['POST /users', 'INSERT public.users', String(writes.POST)],
      ]);
      const outside = await rowsOf(page, 'Writes from outside');
      expect(outside.map((row) => row['Writes'])).toEqual(['1']);
    });
  });

  it('regions have reads against writes, and not the values of the rows', async () => {
    const [user] = users as [TestUser, TestUser, TestUser];
    const { hits, misses } = load.at(listOf(user));
    await showView(page, '#/regions', 'Regions');
    await eventually(async () => {
      // Written by POST once, and by each PATCH.
      expect(await rowOf('Regions', 'Region', regionOf('region', user.region))).toMatchObject({
        Table: 'public.users',
        Hits: String(hits),
        Misses: String(misses),
        Writes: String(writes.PATCH + 1),
      });
    });
    expect(await mainText(page)).not.toContain(user.region);
  });
});

it('a miss names the write of another instance that caused it, and the region that it ended', async () => {
  const user = await createUser();
  await warm(0, listOf(user));
  await rename(1, user);
  await eventually(async () => {
    const { headers } = await load.get(cluster.instances[0], listOf(user));
    expect(headers['cache-status']).toBe('tidemark; fwd=miss; stored');
  });
  await showView(page, '#/queries/users.page', 'users.page');
  await eventually(async () => {
    const [latest] = await rowsOf(page, 'Last misses');
    expect(latest?.['Cause']).toMatch(/^ended by UPDATE public\.users of PATCH \/users\/:id, /);
    expect(latest?.['Regions ended']).toBe(`public.users (${regionOf('region', user.region)})`);
  });
});

it('live shows requests of its instance as they come, holds them while paused, and filters', async () => {
  const user = await createUser();
  const [instance] = cluster.instances;
  await showView(page, '#/live', 'Live');
  const shown = async (): Promise<readonly string[]> =>
    (await rowsOf(page, 'Requests')).map(
      (row) => `${row['Query']} ${row['Outcome']} ${row['Level']}`,
    );
  await instance.settled(listOf(user));
  await warm(0, listOf(user));
  await eventually(async () => {
    expect((await shown()).slice(-2)).toEqual(['users.page hit L1', 'users.page miss –']);
  });
  await page.getByRole('button', { name: 'Pause' }).click();
  const before = await shown();
  await warm(0, '/regions');
  await page.getByText(/^Paused: \d+ requests? waiting\.$/).waitFor();
  expect(await shown()).toEqual(before);
  await page.getByRole('button', { name: 'Continue' }).click();
  await eventually(async () => expect((await shown())[0]).toBe('regions.counts hit L1'));
  await page.getByRole('searchbox').fill('users.page miss');
  await eventually(async () => expect(await shown()).toEqual(['users.page miss –']));
});

describe('doubt', () => {
  it('shows the mark of a write whose COMMIT waits, with its backend, until it has ended', async () => {
    const user = await createUser();
    await whileCommitsWait(cluster, async (decide) => {
      const write = cluster.instances[1].patch(`/users/${user.id}`, { username: 'in-doubt' });
      const backend = await waitingCommit(cluster);
      await showView(page, '#/doubt', 'Doubt');
      await eventually(async () => {
        const marks = await rowsOf(page, 'Marks');
        expect(marks.map(({ Table, Holder }) => [Table, Holder])).toEqual([
          ['public.users', `PostgreSQL backend ${backend}`],
        ]);
      });
      await decide('commit');
      expect((await write).status).toBe(200);
      await page.getByText('No write is under way.').waitFor();
    });
    const triggers = await rowsOf(page, 'Triggers');
    expect(triggers.map(({ Table, State }) => [Table, State])).toEqual([
      ['public.users', 'installed'],
    ]);
  });

  it('shows writes from outside that the relay cannot finish, and what to do', async () => {
    const user = await createUser();
    await showView(page, '#/doubt', 'Doubt');
    await cluster.session(async (locker) => {
      await cluster.session(async (writer) => {
        await writer.query('BEGIN');
        await writer.query('UPDATE users SET email = $2 WHERE id = $1', [user.id, 'w@example.com']);
        await locker.query('BEGIN');
        // Waits for the writer and comes before the relay, which can then read rows but not remove them.
        const locked = locker.query(`LOCK TABLE ${OUTBOX} IN SHARE ROW EXCLUSIVE MODE`);
        await eventually(async () => {
          const waiting = await cluster.sql('SELECT FROM pg_locks WHERE NOT granted');
          expect(waiting).toHaveLength(1);
        });
        await writer.query('COMMIT');
        await locked;
      });
      await eventually(async () => {
        const backlogs = (await rowsOf(page, 'Relay')).map((row) => row['Backlog']);
        expect(backlogs).toContain('1 row');
        expect(await mainText(page)).toContain('Writes from outside the service are seen late');
      });
      await locker.query('COMMIT');
    });
    await eventually(async () => {
      const rows = await rowsOf(page, 'Relay');
      expect(rows.map((row) => row['Backlog'])).toEqual(Array(3).fill('0 rows'));
      expect(await mainText(page)).toContain('No instance reports a problem.');
    });
  });
});

describe('control', () => {
  it('ends the answers of a table: the next read is a miss that runs the query', async () => {
    const user = await createUser();
    const [instance] = cluster.instances;
    const list = `${listOf(user)}&limit=78`;
    const runs = () =>
      cluster.postgres.log.split('\n').filter((line) => /SELECT .* LIMIT 78\b/.test(line)).length;
    expect((await instance.settled(list)).cache).toBe('miss');
    expect((await instance.get(list)).cache).toBe('hit');
    // The fill, and the audit of the hit.
    await eventually(() => expect(runs()).toBe(2));

    await showView(page, '#/control', 'Control');
    await page.getByRole('combobox', { name: 'Table' }).fill('public.users');
    await page.getByRole('button', { name: 'Invalidate…' }).click();
    await page.getByRole('button', { name: 'End the answers' }).click();
    await page.getByText('The answers of public.users have ended on every instance.').waitFor();
    expect((await instance.get(list)).headers['cache-status']).toBe('tidemark; fwd=miss; stored');
    await eventually(() => expect(runs()).toBe(3));
  });

  it('switches shadow mode on and off on all three instances', async () => {
    const list = listOf(await createUser());
    const statuses = (): Promise<readonly (string | undefined)[]> =>
      Promise.all(
        cluster.instances.map(
          async (instance) => (await instance.get(list)).headers['cache-status'],
        ),
      );
    await showView(page, '#/control', 'Control');
    const switchTo = async (state: 'on' | 'off'): Promise<void> => {
      await page.getByRole('button', { name: `Switch shadow mode ${state}…` }).click();
      await page.getByRole('button', { name: `Switch shadow mode ${state}`, exact: true }).click();
      await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    };
    await switchTo('on');
    await eventually(async () => {
      expect(await statuses()).toEqual(Array(3).fill('tidemark; fwd=bypass; detail=shadow'));
    });
    await switchTo('off');
    await eventually(async () => {
      for (const status of await statuses()) expect(status).toMatch(/^tidemark; hit; /);
    });
  });
});

it.each(['127.0.0.1', 'localhost'])(
  'a form and a script of a page on another port of %s cannot act',
  async (host) => {
    const list = listOf(await createUser());
    await cluster.instances[0].warm(list);
    const target = `${cluster.instances[0].process.url}/tidemark/api/invalidate`;
    const body = '{"regions":[{"table":"public.users"}]}';
    const site = await OtherSite.start(target, body);
    // With the cookie of the session.
    const other = await page.context().newPage();
    try {
      await other.goto(site.urlOn(host));
      const outcome = other.waitForResponse(target);
      await other.getByRole('button').click();
      expect((await outcome).status()).toBe(403);
      await other.goto(site.urlOn(host));
      const scripted = await other.evaluate(`Promise.allSettled([
        fetch('${target}', { method: 'POST', mode: 'no-cors', credentials: 'include', body: '${body}' }),
        fetch('${target}', { method: 'POST', credentials: 'include', body: '${body}',
          headers: { 'content-type': 'application/json' } }),
      ]).then((all) => all.map(({ status }) => status))`);
      // Of an opaque answer, and of a request that the browser has not sent.
      expect(scripted).toEqual(['fulfilled', 'rejected']);
      expect((await cluster.instances[0].get(list)).cache).toBe('hit');
    } finally {
      await other.close();
      await site.stop();
    }
  },
);

it('a wrong token is refused in words, five within a minute slow down, and the right one still works', async () => {
  const opened = await openPage(browser, `${cluster.instances[2].process.url}/tidemark/`);
  const { page: fresh } = opened;
  const offer = async (token: string): Promise<number> => {
    const answer = fresh.waitForResponse((response) => response.url().endsWith('/api/session'));
    await fresh.getByLabel('Token').fill(token);
    await fresh.keyboard.press('Enter');
    return (await answer).status();
  };
  await fresh.getByText('Sign in with the token of the page').waitFor();
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    expect(await offer(`a-wrong-token-of-many-${attempt}`)).toBe(401);
    await fresh.getByRole('alert').filter({ hasText: 'The token is wrong.' }).waitFor();
  }
  expect(await offer('a-wrong-token-too-many')).toBe(429);
  await fresh.getByText(/wait \d+ s before the next attempt/).waitFor();
  expect(await accessibilityFaults(fresh)).toEqual([]);
  expect(await offer(TOKEN)).toBe(204);
  await fresh.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  expect(opened.faults).toEqual([]);
  await fresh.context().close();
});

it.each([
  ['#/overview', 'Overview'],
  ['#/queries', 'Queries'],
  ['#/queries/users.page', 'users.page'],
  ['#/live', 'Live'],
  ['#/writes', 'Writes'],
  ['#/regions', 'Regions'],
  ['#/doubt', 'Doubt'],
  ['#/control', 'Control'],
])('%s is accessible with the data of the service', async (hash, title) => {
  await showView(page, hash, title);
  expect(await accessibilityFaults(page)).toEqual([]);
});
