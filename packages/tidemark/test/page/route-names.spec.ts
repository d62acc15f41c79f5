/** Real: PostgreSQL, HTTP. The names of routes, which a page gives to writes, leave nothing behind. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Controller, Post, Req } from '@nestjs/common';
import { CachePageModule } from '../../src/page/index.js';
import { eventually } from '../../../../test/support/eventually.js';
import { ADAPTERS, startAdopter, type Adopter } from '../routes/adopter.js';
import { Book } from '../routes/routes.controllers.js';

v8.setFlagsFromString('--expose_gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

let handled = 0;
let kept: { readonly request: WeakRef<object>; readonly timer: NodeJS.Timeout } | undefined;

@Controller('jobs')
class Jobs {
  @Post()
  run(@Req() asked: IncomingMessage): void {
    handled += 1;
    // Runs on in the asynchronous context of the request.
    kept ??= { request: new WeakRef(asked), timer: setInterval(() => undefined, 60_000).unref() };
  }
}

/** Delays requests whose header asks for it, as a limiter or a store of sessions may. */
function slowly({ headers }: IncomingMessage, _response: unknown, next: () => void): void {
  if (headers['x-slow']) setTimeout(next, 100);
  else next();
}

describe.each(ADAPTERS)('beside a page on %s', (adapter) => {
  let adopter: Adopter;

  beforeAll(async () => {
    adopter = await startAdopter({
      adapter,
      entities: [Book],
      imports: [CachePageModule.forRoot({ token: 'a-token-of-more-than-16' })],
      controllers: [Jobs],
      configure: (app) => app.use(slowly),
    });
  });
  afterAll(async () => {
    clearInterval(kept?.timer);
    kept = undefined;
    await adopter.stop();
  });

  const post = (headers: Record<string, string> = {}) => {
    const { port } = (adopter.app.getHttpServer() as { address(): AddressInfo }).address();
    return request({ host: '127.0.0.1', port, method: 'POST', path: '/jobs', headers }).end();
  };
  const posted = async (): Promise<void> => {
    const [answer] = (await once(post(), 'response')) as [IncomingMessage];
    await once(answer.resume(), 'end');
    expect(answer.statusCode).toBe(201);
  };

  it('a timer that a handler has started keeps no request that has ended', async () => {
    await posted();
    await eventually(async () => {
      await posted();
      collectGarbage();
      expect(kept?.request.deref()).toBeUndefined();
    });
  });

  it('no storage stays in use for a client that has left before the handler', async () => {
    const before = handled;
    const leaving = post({ 'x-slow': '1' });
    leaving.on('error', () => undefined);
    setTimeout(() => leaving.destroy(), 30);
    await eventually(() => expect(handled).toBe(before + 1));
    const disable = vi.spyOn(AsyncLocalStorage.prototype, 'disable');
    try {
      await posted();
      await eventually(() => expect(disable).toHaveBeenCalled());
    } finally {
      disable.mockRestore();
    }
  });
});
