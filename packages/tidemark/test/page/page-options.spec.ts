/** Who is let in by which options, and options that stop the start. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  Controller,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Post,
  Scope,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { of, type Observable } from 'rxjs';
import { CachePageModule } from '../../src/page/index.js';
import { InstanceReports } from '../../src/nestjs/instance-reports.js';
import { ADAPTERS } from '../routes/adopter.js';
import { CacheQuery, WriteOrigins } from '../../src/index.js';
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

interface AskedRequest {
  readonly headers: Record<string, string>;
}

/** Keeps the first request that it sees: made once for all requests, it would admit them all. */
@Injectable({ scope: Scope.REQUEST })
class RequestGuard implements CanActivate {
  constructor(@Inject(REQUEST) private readonly request: AskedRequest) {}

  canActivate(): boolean {
    return this.request.headers['x-user'] === 'ada';
  }
}

@Injectable({ scope: Scope.REQUEST })
class Sender {
  constructor(@Inject(REQUEST) readonly request: AskedRequest) {}
}

@Injectable()
class SenderGuard implements CanActivate {
  constructor(private readonly sender: Sender) {}

  canActivate(): boolean {
    return this.sender.request.headers['x-user'] === 'ada';
  }
}

@Injectable()
class LaterGuard implements CanActivate {
  canActivate(context: ExecutionContext): Observable<boolean> {
    const { headers } = context.switchToHttp().getRequest<AskedRequest>();
    return of(headers['x-user'] === 'ada');
  }
}

/** Without a dependency on the request. */
@Injectable({ scope: Scope.REQUEST })
class OnceGuard implements CanActivate {
  #isUsed = false;

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<AskedRequest>();
    const isFirst = !this.#isUsed;
    this.#isUsed = true;
    return isFirst && headers['x-user'] === 'ada';
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

  describe.each(ADAPTERS)('with a guard of each request on %s', (adapter) => {
    it.each([
      ['with the request, provided', RequestGuard, [RequestGuard]],
      ['with the request, provided by no module', RequestGuard, []],
      ['without dependencies, provided', OnceGuard, [OnceGuard]],
      ['without dependencies, provided by no module', OnceGuard, []],
      ['with a dependency on the request, provided', SenderGuard, [Sender, SenderGuard]],
    ])('%s: open to the requests that it admits', async (_, guard, providers) => {
      page = await PageApplication.start({ adapter, page: { guard }, providers });
      const paths = ['/api/overview', '/api/overview'];
      expect(await statusesOf(paths, { 'x-user': 'ada' })).toEqual([200, 200]);
      expect(await statusesOf(paths, { 'x-user': 'eve' })).toEqual([403, 403]);
      expect(await statusesOf(paths, { 'x-user': 'ada' })).toEqual([200, 200]);
    });
  });

  it('with a guard that answers by an observable: open to whom it admits', async () => {
    page = await PageApplication.start({ page: { guard: LaterGuard } });
    expect(await statusesOf(['/api/overview'], { 'x-user': 'ada' })).toEqual([200]);
    expect(await statusesOf(['/api/overview'], { 'x-user': 'eve' })).toEqual([403]);
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

/** Whether handlers run under the name of their route. */
@Controller('jobs')
class Jobs {
  constructor(private readonly origins: WriteOrigins) {}

  @Post()
  run(): { origin: string | null } {
    return { origin: this.origins.current ?? null };
  }

  /** Answered by the cache, which refuses to start where an interceptor would get the query. */
  @Get()
  @CacheQuery({ ttl: 60_000 })
  names() {
    return parts;
  }
}

describe('handlers of the application', () => {
  it.each([
    ['beside a closed page: run without a name for their writes', {}, null],
    ['beside an open page: run under their route', { token: TOKEN }, 'POST /jobs'],
    ['beside a page with a guard: run under their route', { guard: LaterGuard }, 'POST /jobs'],
  ])('%s', async (_, options, origin) => {
    page = await PageApplication.start({ page: options, controllers: [Jobs] });
    const answer = await fetch(new URL('/jobs', page.url), { method: 'POST' });
    expect(await answer.json()).toEqual({ origin });
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
