/** Applications whose router, prefix, versions, hooks or body parser differ from the defaults. */
import { afterEach, describe, expect, it } from 'vitest';
import { CachePageModule } from '../../src/page/index.js';
import { PageApplication, TOKEN } from './page-application.js';
import { signIn } from './sessions.js';

let page: PageApplication | undefined;

afterEach(async () => {
  await page?.stop();
  page = undefined;
});

describe('routers', () => {
  it.each([
    'fastify',
    'fastify that ignores trailing slashes',
    'fastify with router options',
    'express',
    'express with strict routing',
  ] as const)('%s: the path leads to the page, and the page has its files', async (adapter) => {
    page = await PageApplication.start({ adapter });
    const folder = await page.fetch('');
    expect([folder.status, folder.headers.get('location')]).toEqual([302, 'tidemark/']);
    for (const path of ['/', '/index.html']) {
      const index = await page.fetch(path);
      expect(index.status).toBe(200);
      expect(await index.text()).toContain('page.js');
    }
    expect((await page.fetch('/page.js')).status).toBe(200);
    expect((await page.ask('overview')).status).toBe(200);
  });
});

it('Express without a body parser: a session is refused with the reason', async () => {
  page = await PageApplication.start({ adapter: 'express', bodyParser: false });
  const answer = await page.fetch('/api/session', signIn(TOKEN));
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('bodyParser') });
});

it('two pages: the application does not start', async () => {
  class Both {}
  const imports = ['one', 'two'].map((path) => CachePageModule.forRoot({ path, token: TOKEN }));
  const start = PageApplication.start({ module: { module: Both, imports } });
  await expect(start).rejects.toThrow('CachePageModule is imported twice');
});
