/**
 * Real: PostgreSQL, Redis, HTTP. The code of the guide (packages/tidemark/README.md) and of docs/migrating.md is that of
 * test/guide/: it compiles with all tests, and the application and the tests in it run here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { REMEDIES } from '../../src/typeorm/queries/explain-plan.js';
import { RedisServer } from '../../../../test/support/redis-server.js';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { eventually } from '../../../../test/support/eventually.js';

// Registers the tests of the guide.
import '../guide/users.controller.test.js';

beforeAll(async () => {
  process.env.TEST_DATABASE_URL = await createDatabase();
});

const LIBRARY = join(import.meta.dirname, '../..');
const GUIDE = join(LIBRARY, 'README.md');
const PAGES = [GUIDE, join(LIBRARY, '../../docs/migrating.md')];

/** Without indentation and empty lines, so that a page may show a part of a file. */
const bare = (code: string): string =>
  code
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');

describe.each(PAGES)('code in %s', (page) => {
  const folder = join(LIBRARY, 'test/guide');
  const files = readdirSync(folder).map((name) => bare(readFileSync(join(folder, name), 'utf8')));
  const text = readFileSync(page, 'utf8');
  // Code of other libraries is marked `ts before`.
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);

  it('is there', () => expect(blocks.length).toBeGreaterThan(2));

  it.each(blocks)('is in test/guide: %s', (code) => {
    // A line of three dots leaves a part out.
    for (const part of code.split(/^\s*\/\/ \.\.\.$/m)) {
      expect(files.filter((file) => file.includes(bare(part)))).not.toHaveLength(0);
    }
  });
});

it('the guide has a row for each reason why a query is not cached, with its remedy', () => {
  const guide = readFileSync(GUIDE, 'utf8').replaceAll(/\s+/g, ' ');
  for (const [reason, remedy] of Object.entries(REMEDIES)) {
    expect(guide).toContain(`| \`${reason}\` `);
    expect(guide).toContain(`| ${remedy.replaceAll('|', '\\|')} |`);
  }
});

describe('the application of the guide', () => {
  let redis: RedisServer;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    redis = await RedisServer.start();
    process.env.DATABASE_URL = await createDatabase();
    process.env.REDIS_URL = redis.url;
    const { AppModule } = await import('../guide/app.module.js');
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    app.useLogger(false);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });

  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  const get = async (path: string): Promise<[string, unknown]> => {
    const response = await app.inject(path);
    return [String(response.headers['cache-status']), response.json()];
  };

  it('the second request is a hit, and a write is seen at once', async () => {
    const { User } = await import('../guide/user.entity.js');
    const { DataSource } = await import('typeorm');
    const users = app.get(DataSource).getRepository(User);
    await users.insert({ username: 'ada', region: 'EU' });
    const list = () => get('/users?region=EU');
    expect(await list()).toEqual([expect.stringContaining('fwd='), [{ id: 1, username: 'ada' }]]);
    await eventually(async () => expect((await list())[0]).toContain('hit'));
    const payload = { username: 'grace' };
    await app.inject({ method: 'PATCH', url: '/users/1', payload });
    const [status, body] = await list();
    expect(body).toEqual([{ id: 1, username: 'grace' }]);
    expect(status).not.toContain('hit');
    expect((await get('/users/7'))[1]).toMatchObject({ message: 'There is no user 7.' });
  });
});
