/** The page in an application whose interceptors change the answers of other routes, on both adapters. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type {
  OptionsInForce,
  Overview,
  QueryPage,
  QueryReport,
  RegionReport,
  WriteReport,
} from '../../src/page/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { ADAPTERS } from '../routes/adopter.js';
import { parts } from '../start/started-application.js';
import { StatementCounter } from '../support/statement-counter.js';
import { PageApplication, TOKEN } from './page-application.js';
import { json, REFUSED_SESSIONS, signIn } from './sessions.js';

interface Description {
  readonly servers: unknown;
  readonly paths: Record<
    string,
    { get?: { responses: Record<string, { content: Record<string, { schema: object }> }> } }
  >;
  readonly components: { readonly schemas: object };
}

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

    const problemOf = async (asked: Promise<Response>) => {
      const answer = await asked;
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      const { status, type } = (await answer.json()) as { status: number; type: string };
      expect(status).toBe(answer.status);
      return [status, type.replace('urn:tidemark:problem:', '')];
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
      expect(await problemOf(page.fetch('/api/overview'))).toEqual([401, 'token-required']);
      expect(await problemOf(page.ask('overview?source=other'))).toEqual([404, 'no-such-source']);
    });

    it('shows what the cache did and how it treats a query', async () => {
      await warm();
      const queries = await page.read<QueryReport[]>('queries');
      expect(queries).toMatchObject([{ query: 'parts', outcomes: { l1: expect.any(Number) } }]);
      expect(await page.read<QueryPage>('queries/parts')).toMatchObject({
        query: queries[0],
        treatment: {
          cacheable: true,
          sql: expect.stringContaining('FROM "parts"'),
          dependencies: [{ table: 'public.parts', isWhole: true }],
          entry: { level: 'L1' },
        },
        misses: [{ query: 'parts' }],
      });
      expect(await problemOf(page.ask('queries/a%2Fb'))).toEqual([404, 'no-such-query']);
      expect(await page.read<RegionReport[]>('regions')).toContainEqual({
        table: 'public.parts',
        region: '*',
        hits: expect.any(Number),
        misses: expect.any(Number),
        writes: expect.any(Number),
      });
      expect(await page.read('doubt')).toMatchObject({
        instances: [{ pid: process.pid, marks: [] }],
      });
      const { options, mode } = await page.read<OptionsInForce>('options');
      expect([mode, options]).toMatchObject(['serve', { ttlJitter: 0, namespace: 'tidemark' }]);
      expect(Object.keys(options)).not.toContain('entrySecret');
    });

    it('is described by OpenAPI as it answers', async () => {
      const description = (await (await page.fetch('/api/openapi.json')).json()) as Description;
      expect(description.servers).toEqual([{ url: '/shop/v9/admin/cache/api' }]);
      const { schemas } = description.components;
      for (const [path, { get }] of Object.entries(description.paths)) {
        const schema = get?.responses['200']?.content['application/json']?.schema;
        if (!schema) continue;
        const answer = await page.read(path.replace('{name}', 'parts').slice(1));
        const defined = JSON.stringify({ ...schema, $defs: schemas });
        const parsed = z.fromJSONSchema(
          JSON.parse(defined.replaceAll('#/components/schemas/', '#/$defs/')),
        );
        expect([path, parsed.safeParse(answer).error?.issues]).toEqual([path, undefined]);
      }
    });

    it('ends answers of a region, and names the request in the report of writes', async () => {
      await warm();
      const body = { regions: [{ table: 'public.parts', dimension: 'id', value: 1 }] };
      expect((await page.send('POST', 'invalidate', body)).status).toBe(204);
      // The list depends on the whole table.
      sql.reset();
      await page.cacheOf().run(parts);
      expect(sql.selectsFrom('parts')).toHaveLength(1);
      expect(await page.read<WriteReport[]>('writes')).toContainEqual(
        expect.objectContaining({
          source: 'invalidate',
          origin: expect.stringMatching(/^POST .*\/admin\/cache\/api\/invalidate$/),
        }),
      );
    });

    it.each([
      ['no list', { regions: {} }],
      ['no region', { regions: [] }],
      ['no table', { regions: [null] }],
      ['an unknown table', { regions: [{ table: 'public.others' }] }],
      ['a dimension alone', { regions: [{ table: 'public.parts', dimension: 'id' }] }],
      [
        'a value of another type',
        { regions: [{ table: 'public.parts', dimension: 'id', value: 'x' }] },
      ],
    ])('refuses to end %s', async (_, body) => {
      const refused = page.send('POST', 'invalidate', body);
      expect(await problemOf(refused)).toEqual([400, 'invalid-request']);
    });

    it('switches the mode of one data source', async () => {
      await warm();
      expect((await page.send('PUT', 'mode', { mode: 'shadow' })).status).toBe(204);
      sql.reset();
      await page.cacheOf().run(parts);
      expect(sql.selectsFrom('parts')).toHaveLength(1);
      const modes = [];
      for (const path of ['options', 'options?source=reporting']) {
        modes.push((await page.read<OptionsInForce>(path)).mode);
      }
      expect(modes).toEqual(['shadow', 'serve']);
      expect((await page.send('PUT', 'mode', { mode: 'serve' })).status).toBe(204);
      await warm();
      expect(await problemOf(page.send('PUT', 'mode', { mode: 'off' }))).toEqual([
        400,
        'invalid-request',
      ]);
    });

    it('begins a session that reads and acts, and ends it', async () => {
      const answer = await page.fetch('/api/session', signIn(TOKEN));
      expect(answer.status).toBe(204);
      const set = String(answer.headers.get('set-cookie'));
      expect(set).toMatch(/^tidemark-page=[\w.-]+; Max-Age=43200; HttpOnly; SameSite=Strict$/);
      const headers = { cookie: `a=b; ${set.split(';')[0]}` };
      expect((await page.fetch('/api/overview', { headers })).status).toBe(200);
      expect(
        (await page.fetch('/api/mode', { ...json({ mode: 'serve' }, headers), method: 'PUT' }))
          .status,
      ).toBe(204);
      const forged = { cookie: headers.cookie.replace('page=', 'page=z') };
      expect(await problemOf(page.fetch('/api/overview', { headers: forged }))).toEqual([
        401,
        'token-required',
      ]);
      const out = await page.fetch('/api/session', { method: 'DELETE', headers });
      expect([out.status, out.headers.get('set-cookie')]).toEqual([
        204,
        'tidemark-page=; Max-Age=0; HttpOnly; SameSite=Strict',
      ]);
      const overHttps = await page.fetch(
        '/api/session',
        signIn(TOKEN, { origin: page.url.replace('http:', 'https:') }),
      );
      expect(overHttps.headers.get('set-cookie')).toMatch(/; Secure$/);
    });

    it.each(REFUSED_SESSIONS)('refuses a session from %s', async (_, init, ...expected) => {
      const refused = page.fetch('/api/session', { method: 'POST', ...init });
      expect(await problemOf(refused)).toEqual(expected);
    });

    it('refuses acts of another site also with the token', async () => {
      const refused = page.send(
        'PUT',
        'mode',
        { mode: 'shadow' },
        { 'sec-fetch-site': 'cross-site' },
      );
      expect(await problemOf(refused)).toEqual([403, 'cross-site']);
      expect((await page.read<OptionsInForce>('options')).mode).toBe('serve');
    });

    it('slows down after five wrong tokens, and takes the right one all the same', async () => {
      const statuses = [];
      for (const at of [1, 2, 3, 4, 5, 6, 7]) {
        const wrong = `${TOKEN}-${at}`;
        const headers = { authorization: `Bearer ${wrong}` };
        const [attempt] =
          at % 2 === 0
            ? [page.fetch('/api/session', signIn(wrong))]
            : [page.fetch('/api/overview', { headers })];
        statuses.push(await problemOf(attempt));
      }
      expect(statuses).toEqual([
        ...Array.from({ length: 5 }, () => [401, 'wrong-token']),
        ...Array.from({ length: 2 }, () => [429, 'too-many-wrong-tokens']),
      ]);
      const late = await page.fetch('/api/session', signIn('wrong'));
      expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await page.fetch('/api/session', signIn(TOKEN))).status).toBe(204);
      expect(page.log.filter((line) => line.includes('Five wrong tokens'))).toHaveLength(1);
    });

    it('logs neither tokens nor cookies, and nothing unexpected', () => {
      expect(page.log.join('\n')).not.toMatch(/a-token-of|tidemark-page=|Unsupported|conflict/i);
    });
  },
);
