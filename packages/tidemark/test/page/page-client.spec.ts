/** The built page in Chromium, over a service whose answers the test decides. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { representatives } from '../../../../test/support/long-tests.js';
import {
  accessibilityFaults,
  openPage,
  startBrowser,
  type PageOptions,
} from '../../../../test/support/browser.js';
import { eventually } from '../../../../test/support/eventually.js';
import { MockService } from './fixtures/mock-service.js';
import { busyData, freshData } from './fixtures/page-data.js';
import { AT_MS, queryOf } from './fixtures/page-figures.js';
import { VIEWS } from './fixtures/page-views.js';

let browser: Browser;
let service: MockService;
let page: Page;
let faults: readonly string[];

async function open(hash: string, options: PageOptions = {}): Promise<void> {
  ({ page, faults } = await openPage(browser, `${service.url}${hash}`, options));
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('.waiting').waitFor({ state: 'detached' });
}

const namesOfRows = (): Promise<string[]> => page.getByRole('rowheader').allInnerTexts();

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  faults = [];
  service = await MockService.start(busyData());
});
afterEach(async () => {
  const opened = browser.contexts();
  await Promise.all(opened.map((context) => context.close()));
  await service.stop();
  if (faults.length > 0) throw new Error(faults.join('\n'));
});

/** `e2e/page` opens all views of a service at full width. */
const WIDE = representatives(VIEWS, 0, 3);

describe.each([
  { colorScheme: 'light', width: 1_280, views: WIDE },
  { colorScheme: 'dark', width: 400, views: VIEWS },
] as const)('in $colorScheme at $width pixels', ({ views, ...options }) => {
  it.each(views)(
    '%s is the view %s, accessible and no wider than the window',
    async (hash, title) => {
      await open(hash, options);
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(title);
      expect(await page.title()).toBe(`${title} – Tidemark`);
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(options.width);
    },
  );
});

describe('a service that has served nothing', () => {
  it.each([
    ['#/', 'No query has run yet.'],
    ['#/queries', 'No query has run yet.'],
    ['#/queries/gone', 'No instance has run this query.'],
    ['#/live', 'Nothing has come since you opened this view.'],
    ['#/writes', 'The service has written nothing yet.'],
    ['#/regions', 'No region has been read or written yet.'],
    ['#/doubt', 'No instance reports a problem.'],
    ['#/control', 'This page is read-only.'],
  ])('%s says: %s', async (hash, text) => {
    service.data = freshData();
    await open(hash);
    await page.getByText(text).first().waitFor();
  });
});

it('the overview sums up: ratio, saved time, audit and the trouble of an instance', async () => {
  await open('#/');
  const text = await page.getByRole('main').innerText();
  expect(text).toContain('1 of 3 instances needs attention.');
  expect(text).toContain('maxmemory-policy is allkeys-lru');
  expect(text).toContain('0 of 12,345 compared answers differed');
  const { overview } = service.data;
  const hits = overview.minutes.reduce((sum, minute) => sum + minute.hits, 0);
  expect(text).toContain(`${hits.toLocaleString('en')} of `);
});

it('a new overview from the stream is shown without a reload', async () => {
  await open('#/');
  await eventually(() => expect(service.streams).toBe(1));
  const { overview } = service.data;
  service.send('overview', { ...overview, audit: { ...overview.audit, compared: 54_321 } });
  await page.getByText('0 of 54,321 compared answers differed').waitFor();
});

describe('queries', () => {
  it('are sorted by each column by keyboard, and the order survives a reload', async () => {
    await open('#/queries');
    expect((await namesOfRows())[0]).toBe('users.by-id');
    const header = page.getByRole('columnheader', { name: 'Saved' });
    await header.getByRole('button').focus();
    await page.keyboard.press('Enter');
    expect(await header.getAttribute('aria-sort')).toBe('descending');
    const descending = await namesOfRows();
    expect(descending[0]).toBe('reports.revenue-by-month');
    await page.keyboard.press('Enter');
    expect(await namesOfRows()).toEqual([...descending].reverse());
    await page.reload();
    await page.getByRole('rowheader').first().waitFor();
    expect(await namesOfRows()).toEqual([...descending].reverse());
  });

  it('are filtered by name, and back leads from a query to the same list', async () => {
    await open('#/queries');
    await page.getByRole('searchbox').fill('orders');
    await page.getByText('2 of 9 queries').waitFor();
    expect(await namesOfRows()).toEqual(['orders.by-id', 'orders.open-of-customer']);
    await page.getByRole('link', { name: 'orders.by-id' }).click();
    await page.getByRole('heading', { level: 1, name: 'orders.by-id' }).waitFor();
    await page.goBack();
    await page.getByText('2 of 9 queries').waitFor();
  });

  it('of a long list are in the document only while they are in sight', async () => {
    const queries = Array.from({ length: 900 }, (_, id) =>
      queryOf(`q${id}`, 1_000 + id, 1, 1, 1, 1),
    );
    service.data = { ...service.data, queries };
    await open('#/queries?sort=query');
    expect((await namesOfRows()).length).toBeLessThan(100);
    expect((await namesOfRows())[0]).toBe('q0');
    await page.evaluate("document.querySelector('.table-wrap').scrollTo(0, 1e6)");
    await page.getByRole('rowheader', { name: 'q899' }).waitFor();
    expect((await namesOfRows()).length).toBeLessThan(100);
  });
});

describe('a query', () => {
  it('shows what it depends on, its entry, and the write that caused a miss', async () => {
    await open('#/queries/users.page');
    await page.getByRole('img', { name: 'users.page depends on 2 regions of 1 table' }).waitFor();
    const text = await page.getByRole('main').innerText();
    expect(text).toContain('ended by UPDATE public.users of PATCH /users/:id, 3 s ago');
    expect(text).toContain('of a writer outside the service');
    expect(text).toContain('L1, memory');
  });

  it('that is never cached shows why and what to change', async () => {
    await open('#/queries/audit.trail-of-account');
    await page.getByText('Never cached: volatile-function').waitFor();
    await page.getByText('Compute the value').waitFor();
  });
});

describe('live', () => {
  const request = (query: string) => ({
    atMs: AT_MS,
    query,
    outcome: 'hit' as const,
    level: 'L1' as const,
    reason: undefined,
    durationMs: 0.2,
    bytes: 118,
  });

  it('shows the newest request first, holds them while paused, and counts what is left out', async () => {
    await open('#/live');
    await eventually(() => expect(service.streams).toBe(1));
    service.send('requests', { requests: [request('first'), request('second')], leftOut: 7 });
    await page.getByText('7 requests left out by sampling').waitFor();
    expect(await namesOfRows()).toEqual(['second', 'first']);

    await page.getByRole('button', { name: 'Pause' }).click();
    service.send('requests', { requests: [request('third')], leftOut: 0 });
    await page.getByText('Paused: 1 request waiting.').waitFor();
    expect(await namesOfRows()).toEqual(['second', 'first']);

    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await namesOfRows()).toEqual(['third', 'second', 'first']);
    await page.getByRole('searchbox').fill('second');
    expect(await namesOfRows()).toEqual(['second']);
  });
});

it('writes from outside are apart from those of the service', async () => {
  await open('#/writes');
  const outside = page.getByRole('region', { name: 'From outside' });
  expect(await outside.getByRole('rowheader').allInnerTexts()).toEqual([
    expect.stringContaining('c4410be21f7a9d55'),
  ]);
  const own = page.getByRole('region', { name: 'Of the service' });
  expect(await own.getByRole('rowheader').first().innerText()).toBe('PATCH /users/:id');
});

it('a region that is written more than it is read is not worth caching', async () => {
  await open('#/regions');
  const row = page.getByRole('row').filter({ hasText: 'public.sessions' });
  expect(await row.innerText()).toContain('not worth caching');
});

describe('control', () => {
  it('invalidates a region after a confirmation only', async () => {
    await open('#/control');
    await page.getByLabel('One region').check();
    await page.getByRole('combobox', { name: 'Table' }).fill('public.users');
    await page.getByRole('combobox', { name: 'Dimension' }).fill('region');
    await page.getByRole('combobox', { name: 'Value' }).fill('US');
    await page.getByRole('button', { name: 'Invalidate…' }).click();
    await page.getByRole('alertdialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    expect(service.actions).toEqual([]);

    await page.getByRole('button', { name: 'Invalidate…' }).click();
    await page.getByRole('button', { name: 'End the answers' }).click();
    await page.getByText('have ended on every instance').waitFor();
    expect(service.actions).toEqual([
      {
        method: 'POST',
        path: 'invalidate',
        body: { regions: [{ table: 'public.users', dimension: 'region', value: 'US' }] },
      },
    ]);
  });

  it('switches shadow mode on', async () => {
    await open('#/control');
    await page.getByRole('button', { name: 'Switch shadow mode on…' }).click();
    await page.getByRole('button', { name: 'Switch shadow mode on', exact: true }).click();
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    expect(service.actions).toEqual([{ method: 'PUT', path: 'mode', body: { mode: 'shadow' } }]);
  });
});

it('a wrong token is refused with its message, the right one opens the page, and signing out closes it', async () => {
  service.token = 'the token of this page';
  ({ page, faults } = await openPage(browser, service.url));
  await page.getByLabel('Token').fill('another token');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the token of the page.').waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.getByLabel('Token').fill(service.token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
});

it('a lost connection is announced over the last figures, and comes back by itself', async () => {
  await open('#/');
  await eventually(() => expect(service.streams).toBe(1));
  const { port } = service;
  await service.stop();
  await page.getByText('Connection lost').waitFor();
  await page.getByRole('button', { name: 'Retry now' }).waitFor();
  await page.getByText('0 of 12,345 compared answers differed').waitFor();
  await service.listen(port);
  await page.getByRole('button', { name: 'Retry now' }).waitFor({ state: 'detached' });
  await eventually(() => expect(service.streams).toBe(1));
});

it('by keyboard, the first stop leads past the navigation, and a view gets the focus', async () => {
  await open('#/');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
  await page.getByRole('link', { name: 'Doubt' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Doubt' }).waitFor();
  await eventually(async () =>
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Doubt'),
  );
});

it('the chosen theme survives a reload', async () => {
  await open('#/');
  const ground = 'getComputedStyle(document.documentElement).backgroundColor';
  const light = await page.evaluate(ground);
  await page.getByRole('button', { name: 'Theme: system' }).click();
  await page.getByRole('button', { name: 'Theme: light' }).click();
  await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
  const dark = await page.evaluate(ground);
  expect(dark).not.toBe(light);
  await page.reload();
  await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
  expect(await page.evaluate(ground)).toBe(dark);
});
