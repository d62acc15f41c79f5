/** The page in an application that changes the answers of its own routes, on both adapters. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Doubt, OptionsInForce, Overview, QueryPage } from '../../src/page/page-api.js';
import type { QueryReport } from '../../src/observe/report.js';
import { eventually } from '../../../../test/support/eventually.js';
import { ADAPTERS } from '../routes/adopter.js';
import { parts } from '../start/started-application.js';
import { StatementCounter } from '../support/statement-counter.js';
import { PageApplication, TOKEN } from './page-application.js';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

describe.each(ADAPTERS)(
  'the page on %s, below a prefix, with versions, envelopes and filters',
  (adapter) => {
    let page: PageApplication;
    let sql: StatementCounter;

    beforeAll(async () => {
      page = await PageApplication.start({
        adapter,
        page: { path: 'admin/cache', token: TOKEN, allowActions: true },
        others: ['reporting'],
        hasSurroundings: true,
      });
      await page.sourceOf().query(`INSERT INTO parts VALUES (1, 'bolt')`);
      sql = StatementCounter.attach(page.sourceOf());
    });

    afterAll(async () => {
      sql?.detach();
      await page?.stop();
    });

    const warm = (): Promise<void> =>
      eventually(async () => {
        sql.reset();
        expect(await page.cacheOf().run(parts)).toEqual(['bolt']);
        expect(sql.selectsFrom('parts')).toEqual([]);
      });

    const problem = async (answer: Response) => {
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      const { status, kind, detail } = Object.assign(
        { kind: '' },
        (await answer.json()) as { status: number; type: string; detail: string },
      );
      expect(status).toBe(answer.status);
      return [status, detail, kind] as const;
    };

    it('leads from its path to the page, whose links are relative', async () => {
      const answer = await page.fetch('?a=1');
      expect([answer.status, answer.headers.get('location')]).toEqual([302, 'cache/']);
      const index = await page.fetch('/');
      expect(index.status).toBe(200);
      expect(Object.fromEntries(index.headers)).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      const links = [...(await index.text()).matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)];
      expect(links.map(([, link]) => link).toSorted()).toEqual(['page.css', 'page.js']);
    });

    it('sends a file once for each of its versions', async () => {
      const first = await page.fetch('/page.js');
      expect(Object.fromEntries(first.headers)).toMatchObject({
        'content-type': 'text/javascript; charset=utf-8',
        'content-encoding': 'gzip',
        'cache-control': 'no-cache',
      });
      expect(await first.text()).not.toBe('');
      const tag = String(first.headers.get('etag'));
      const known = await page.fetch('/page.js', { headers: { 'if-none-match': tag } });
      expect([known.status, await known.text(), known.headers.get('etag')]).toEqual([304, '', tag]);
      for (const path of [
        '/page.mjs',
        '/..%2fapi',
        '/%2e%2e/%2e%2e/package.json',
        '/page.js.map',
      ]) {
        expect((await page.fetch(path)).status).not.toBe(200);
      }
    });

    it('answers with plain JSON and problem documents', async () => {
      const answer = await page.ask('overview');
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': POLICY,
      });
      expect(await answer.json()).toMatchObject({
        dataSources: ['default', 'reporting'],
        instances: [{ isThis: true, mode: 'serve', pid: process.pid }],
        allowActions: true,
      } satisfies Partial<Record<keyof Overview, unknown>>);
      expect(await problem(await page.fetch('/api/overview'))).toEqual([
        401,
        expect.stringContaining('Bearer'),
        '',
      ]);
      expect(await problem(await page.ask('overview?source=other'))).toEqual([
        404,
        expect.stringContaining('"default", "reporting"'),
        '',
      ]);
    });
  },
);
