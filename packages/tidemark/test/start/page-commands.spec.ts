/** The commands `stats`, `explain` and `invalidate` against a server in place of the page. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { runCommand } from '../../src/cli/commands.js';
import { freePort } from '../../../../test/support/free-port.js';

const TOKEN = 'a-token-of-the-page';
const OUTCOMES = { l1: 6, l2: 2, stored: 1, notStored: 0, joined: 0, bypassed: 1, failed: 0 };

const OVERVIEW = {
  outcomes: OUTCOMES,
  savedMs: 90_000,
  audit: { share: 0.001, compared: 4, different: 0 },
  instances: [{ host: 'one', pid: 7, mode: 'serve', release: '1.0.0', health: { status: 'up' } }],
};

const QUERIES = [
  { query: 'users.by-id', outcomes: { ...OUTCOMES, l1: 0 }, savedMs: 0 },
  { query: 'users.in-region\u001b[31m', outcomes: OUTCOMES, savedMs: 90_000 },
];

const TREATMENT = {
  cacheable: true,
  sql: 'SELECT 1 FROM users',
  key: 'k1',
  dependencies: [
    { table: 'public.users', names: ['region=…', 'region?'], isWhole: false, reason: 'restricted' },
  ],
  entry: { level: 'L2', bytes: 17, ageMs: 2_000, leftMs: 120_000 },
};

const MISSES = [
  {
    atMs: Date.now() - 3_000,
    cause: 'outdated',
    outdated: [{ table: 'public.users', names: ['region=…'] }],
    endedBy: {
      source: 'service',
      origin: 'PATCH /users/:id',
      statements: [{ title: 'UPDATE public.users', fingerprint: '0' }],
    },
  },
];

let page: FastifyInstance;
let url: string;
let folder: string;
let invalidated: unknown[];
/** Instead of the answer. */
let refusal: ((reply: FastifyReply) => unknown) | undefined;

const problem = (status: number, detail: string) => (reply: FastifyReply) =>
  reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'urn:tidemark:problem:some', status, detail }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-commands-'));
  page = fastify();
  page.addHook('preHandler', async ({ headers }, reply) => {
    if (refusal) return refusal(reply);
    if (headers.authorization === `Bearer ${TOKEN}`) return undefined;
    return problem(401, 'The token is wrong.')(reply);
  });
  page.get('/tidemark/api/overview', () => OVERVIEW);
  page.get<{ Querystring: { source?: string } }>('/tidemark/api/queries', ({ query }) =>
    query.source === 'other' ? [] : QUERIES,
  );
  page.get<{ Params: { name: string } }>('/tidemark/api/queries/:name', ({ params }, reply) => {
    if (params.name !== 'users/in region') return problem(404, 'No such query has run.')(reply);
    return { query: QUERIES[0], treatment: TREATMENT, misses: MISSES };
  });
  page.post('/tidemark/api/invalidate', ({ body }, reply) => {
    invalidated.push(body);
    return reply.code(204).send();
  });
  page.get('/other/api/overview', () => ({ hello: 'world' }));
  url = `${await page.listen({ host: '127.0.0.1', port: 0 })}/tidemark`;
});

afterAll(async () => {
  await page.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  invalidated = [];
  refusal = undefined;
});

/** The exit code and the printed text. */
async function run(...args: string[]): Promise<{ code: number; text: string }> {
  return runWith({ TIDEMARK_TOKEN: TOKEN }, args);
}

async function runWith(env: Record<string, string>, args: readonly string[]) {
  const lines: string[] = [];
  const code = await runCommand(args, { print: (line) => lines.push(line), env });
  return { code, text: lines.join('\n') };
}

describe('stats', () => {
  it('prints instances, the sum, and a row for each query, the busiest first, without control characters', async () => {
    const { code, text } = await run('stats', '--url', url);
    expect(code).toBe(0);
    expect(text).toBe(
      [
        'one 7, release 1.0.0, serve, up',
        '10 requests, 80.0 % from the cache, which has saved 1.5 min of the database',
        '4 hits audited, of which 0 differed from the database',
        '',
        'query                 requests  hits    L1  L2  misses  bypassed  failed  saved',
        'users.in-region [31m        10  80.0 %   6   2       1         1       0  1.5 min',
        'users.by-id                  4  50.0 %   0   2       1         1       0  0 ms',
      ].join('\n'),
    );
  });

  it('--json prints what the page has answered; a slash at the end of the address changes nothing', async () => {
    const { text } = await run('stats', '--url', `${url}/`, '--json');
    expect(JSON.parse(text)).toEqual({ overview: OVERVIEW, queries: QUERIES });
  });

  it('--source asks for another data source', async () => {
    const { text } = await run('stats', '--url', url, '--source', 'other');
    expect(text).toContain('No query has run yet.');
  });

  it('takes the token from a file', async () => {
    const file = join(folder, 'token');
    await writeFile(file, `${TOKEN}\n`);
    expect((await runWith({}, ['stats', '--url', url, '--token-file', file])).code).toBe(0);
  });
});

describe('explain', () => {
  it('prints the SQL, the entry, the dependencies, and the write that caused a miss', async () => {
    const { code, text } = await run('explain', 'users/in region', '--url', url);
    expect(code).toBe(0);
    expect(text).toContain('SELECT 1 FROM users');
    expect(text).toContain('Stored in L2: 17 bytes, 2 s old, for 2 min more');
    expect(text).toMatch(/public\.users {2}region=… region\? {2}restricted/);
    expect(text).toMatch(
      / s ago .*outdated: public\.users region=….*UPDATE public\.users of PATCH/,
    );
  });

  it('a name that the page does not know: its answer', async () => {
    await expect(run('explain', 'none', '--url', url)).rejects.toThrow(
      'The page answers 404: No such query has run.',
    );
  });
});

describe('invalidate', () => {
  it('a table, and one of its regions whose value has an equals sign', async () => {
    expect(await run('invalidate', 'public.users', '--url', url)).toEqual({
      code: 0,
      text: 'Ended the answers of public.users.',
    });
    await run('invalidate', 'public.users', 'region=a=b', '--url', url);
    expect(invalidated).toEqual([
      { regions: [{ table: 'public.users' }] },
      { regions: [{ table: 'public.users', dimension: 'region', value: 'a=b' }] },
    ]);
  });

  it('a page that only reads: its answer', async () => {
    refusal = problem(403, 'The page only reads.');
    await expect(run('invalidate', 'public.users', '--url', url)).rejects.toThrow(
      'The page answers 403: The page only reads.',
    );
  });
});

describe('a page that does not answer as one', () => {
  const stats = (address = url) => run('stats', '--url', address);

  it('a wrong token: what the page says, and never the token', async () => {
    const wrong = 'a-wrong-token';
    const failure = await runWith({ TIDEMARK_TOKEN: wrong }, ['stats', '--url', url]).catch(
      (error: Error) => error.message,
    );
    expect(failure).toBe('The page answers 401: The token is wrong.');
  });

  it('a detail with control characters: printed without them', async () => {
    refusal = problem(429, 'Wait \u001b[2J 7 s.');
    await expect(stats()).rejects.toThrow('The page answers 429: Wait  [2J 7 s.');
  });

  it('another server: no page of Tidemark', async () => {
    await expect(stats(url.replace('tidemark', 'other'))).rejects.toThrow(
      'is no page of Tidemark:',
    );
    await expect(stats(url.replace('tidemark', 'none'))).rejects.toThrow(
      'is no page of Tidemark (it answers 404): give the address that CachePageModule is mounted at',
    );
    refusal = (reply) => reply.code(401).send('who are you');
    await expect(stats()).rejects.toThrow('what stands before the page does not admit the token');
  });

  it('an address that leads elsewhere: the other one does not get the token', async () => {
    refusal = (reply) => reply.redirect('http://elsewhere.test/');
    await expect(stats()).rejects.toThrow('leads to http://elsewhere.test/: give the address');
  });

  it('a port on which nothing listens: that', async () => {
    await expect(stats(`http://127.0.0.1:${await freePort()}/tidemark`)).rejects.toThrow(
      /^127\.0\.0\.1:\d+ cannot be reached: nothing listens there \(ECONNREFUSED\)\.$/,
    );
  });
});

describe('wrong arguments', () => {
  it.each([
    [['stats', '--url', 'localhost'], '--url is no address of a page'],
    [['stats', '--url', 'http://a:b@localhost/'], '--url is no address of a page'],
    [['stats', '--url', 'http://localhost/', '--token', 'x'], "Unknown option '--token'"],
    [['explain', '--url', 'http://localhost/'], 'Give the name of one query'],
    [['invalidate', 'users', '--url', 'http://localhost/'], 'Give one table as schema.table'],
    [['invalidate', 'a.b', 'x', '--url', 'http://localhost/'], 'dimension=value'],
    [['x'], 'Usage: tidemark <command>'],
    [[], 'Usage: tidemark <command>'],
  ])('%j: the reason and the usage, and exit code 2', async (args, message) => {
    const { code, text } = await run(...args);
    expect(code).toBe(2);
    expect(text).toContain(message);
    expect(text).toContain('Usage: tidemark');
  });

  it('no token: where it is expected', async () => {
    const { code, text } = await runWith({}, ['stats', '--url', url]);
    expect([code, text]).toEqual([2, expect.stringContaining('set TIDEMARK_TOKEN')]);
  });
});
