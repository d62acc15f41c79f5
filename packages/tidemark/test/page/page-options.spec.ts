/** Who is let in by which options, and options that stop the start. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  ForbiddenException,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CachePageModule } from '../../src/page/index.js';
import { InstanceReports } from '../../src/nestjs/instance-reports.js';
import { parts } from '../start/started-application.js';
import { PageApplication, TOKEN } from './page-application.js';

let page: PageApplication | undefined;

afterEach(async () => {
  await page?.stop();
  page = undefined;
});

@Injectable()
class Staff {
  readonly names = new Set(['ada']);
}

@Injectable()
class StaffGuard implements CanActivate {
  constructor(private readonly staff: Staff) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (this.staff.names.has(headers['x-user'] ?? '')) return true;
    throw new ForbiddenException('You are not of the staff.');
  }
}

const statusesOf = async (paths: readonly string[], headers: Record<string, string> = {}) => {
  const statuses: (number | undefined)[] = [];
  for (const path of paths) statuses.push((await page?.fetch(path, { headers }))?.status);
  return statuses;
};

const PATHS = ['', '/', '/api/overview', '/api/live', '/api/openapi.json'];

describe('a page', () => {
  it('without token and guard: nothing but 404 that says what opens it, and nothing is counted', async () => {
    page = await PageApplication.start({ page: {} });
    const authorization = `Bearer ${TOKEN}`;
    expect(await statusesOf(PATHS, { authorization })).toEqual(PATHS.map(() => 404));
    expect(await (await page.fetch('/api/overview')).json()).toMatchObject({
      type: 'urn:tidemark:problem:page-closed',
      detail: expect.stringContaining('CachePageModule.forRoot({ token })'),
    });
    expect((await page.send('POST', 'session', { token: TOKEN })).status).toBe(404);
    await page.cacheOf().run(parts);
    expect((await page.app.get(InstanceReports).own()).queries).toEqual([]);
  });

  it('with a guard of the application: open to whom it admits, files too', async () => {
    page = await PageApplication.start({
      page: { guard: StaffGuard, allowActions: true },
      providers: [Staff, StaffGuard],
    });
    expect(await statusesOf(PATHS)).toEqual(PATHS.map(() => 403));
    const headers = { 'x-user': 'ada' };
    expect(await statusesOf(['', '/api/overview'], headers)).toEqual([302, 200]);
    const body = { mode: 'serve' };
    expect((await page.send('PUT', 'mode', body, headers)).status).toBe(204);
    expect((await page.send('POST', 'session', { token: TOKEN }, headers)).status).toBe(404);
  });

  it('with a token and a guard: both are needed', async () => {
    page = await PageApplication.start({
      page: { token: TOKEN, guard: StaffGuard },
      providers: [Staff, StaffGuard],
    });
    const authorization = `Bearer ${TOKEN}`;
    expect(await statusesOf(['/api/overview'], { authorization })).toEqual([403]);
    expect(await statusesOf(['/api/overview'], { 'x-user': 'ada' })).toEqual([401]);
    expect(await statusesOf(['/api/overview'], { authorization, 'x-user': 'ada' })).toEqual([200]);
  });

  it('without `allowActions`, options from a factory: it reads, and refuses to act', async () => {
    const module = CachePageModule.forRootAsync({ useFactory: () => ({ token: TOKEN }) });
    page = await PageApplication.start({ module });
    expect(await page.read('overview')).toMatchObject({ allowActions: false });
    for (const [method, path] of [
      ['POST', 'invalidate'],
      ['PUT', 'mode'],
    ] as const) {
      const answer = await page.send(method, path, {});
      expect([answer.status, await answer.json()]).toEqual([
        403,
        expect.objectContaining({ detail: expect.stringContaining('allowActions') }),
      ]);
    }
  });
});

describe('an application does not start', () => {
  it.each([
    ['with a short token', { token: 'fifteen-letters' }, /`token` is shorter than 16 characters/],
    [
      'with a path that has a slash before it',
      { path: '/tidemark' },
      /`path` cannot be "\/tidemark"/,
    ],
    ['without a cache', { token: TOKEN }, /import QueryCacheModule\.forRoot\(\) beside it/],
  ])('%s', async (_, options, message) => {
    const start = async () => {
      const testing = await Test.createTestingModule({
        imports: [CachePageModule.forRoot(options)],
      })
        .setLogger({ log: () => {}, error: () => {}, warn: () => {} })
        .compile();
      await testing.init();
    };
    await expect(start()).rejects.toThrow(message);
  });
});
