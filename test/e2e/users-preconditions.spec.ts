/** If-Match and If-None-Match of requests that change a user (RFC 9110 section 13). */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { ADA } from './support/ada.js';
import { modes } from './support/modes.js';
import { expectProblem } from './support/problem.js';
import type { RestService } from './support/rest-service.js';
import { useRestService } from './support/service-tests.js';

const MOVE = { region: 'EU' };

describe.each(modes.slice(0, 1))('users over REST, cache $name', (mode) => {
  let service: RestService;

  useRestService(mode, (started) => {
    service = started;
  });

  /** A user, and the tag that a reader has of her. */
  const read = async (accept = 'identity'): Promise<{ path: string; tag: string }> => {
    const [id] = await service.insert({ ...ADA, email: `${'a'.repeat(100)}@example.com` });
    const path = `/users/${id}`;
    await service.warm(path);
    const { headers } = await service.get(path, { 'accept-encoding': accept });
    return { path, tag: String(headers['etag']) };
  };

  it.each<[what: string, headers: (tag: string) => Record<string, string>]>([
    ['If-Match with another tag', () => ({ 'if-match': '"other"' })],
    ['If-Match with other tags', () => ({ 'if-match': '"a", "b"' })],
    ['If-Match with the tag made weak', (tag) => ({ 'if-match': `W/${tag}` })],
    ['If-None-Match with the tag', (tag) => ({ 'if-none-match': `W/${tag}` })],
    ['If-None-Match: *', () => ({ 'if-none-match': '*' })],
    ['both, one of which fails', (tag) => ({ 'if-match': tag, 'if-none-match': tag })],
  ])('%s: 412, and nothing is changed', async (_what, headers) => {
    const { path, tag } = await read();
    expectProblem(await service.patch(path, MOVE, headers(tag)), 412);
    expectProblem(await service.delete(path, headers(tag)), 412);
    expect(await service.rows()).toMatchObject([{ region: ADA.region }]);
    expect((await service.get(path)).headers['etag']).toBe(tag);
  });

  it.each<[what: string, headers: (tag: string) => Record<string, string>]>([
    ['If-Match with the tag', (tag) => ({ 'if-match': tag })],
    ['If-Match with the tag among others', (tag) => ({ 'if-match': `"a", ${tag}` })],
    ['If-Match: *', () => ({ 'if-match': '*' })],
    ['If-None-Match with another tag', () => ({ 'if-none-match': '"other"' })],
    ['a date, which nothing has', () => ({ 'if-unmodified-since': new Date(0).toUTCString() })],
  ])('%s: carried out', async (_what, headers) => {
    const { path, tag } = await read('br');
    const changed = await service.patch(path, MOVE, headers(tag));
    expect([changed.status, changed.json]).toMatchObject([200, MOVE]);
    const { headers: now } = await service.settled(path);
    expect((await service.delete(path, headers(String(now['etag'])))).status).toBe(204);
  });

  it('a missing user: 412 with If-Match, 404 with If-None-Match', async () => {
    for (const tag of ['*', '"other"']) {
      expectProblem(await service.patch('/users/7', MOVE, { 'if-match': tag }), 412);
      expectProblem(await service.delete('/users/7', { 'if-match': tag }), 412);
      expectProblem(await service.delete('/users/7', { 'if-none-match': tag }), 404);
    }
  });

  it('POST with If-Match: 412, and no user is created', async () => {
    expectProblem(await service.post('/users', ADA, { 'if-match': '"other"' }), 412);
    expect(await service.rows()).toEqual([]);
  });

  it('POST with If-Match: * creates, since the collection exists', async () => {
    expect((await service.post('/users', ADA, { 'if-match': '*' })).status).toBe(201);
  });

  it('a write that commits while the request waits for the row: 412', async () => {
    const { path, tag } = await read();
    const runner = service.source.createQueryRunner();
    try {
      await runner.startTransaction();
      await runner.query(`UPDATE users SET username = 'grace'`);
      const answer = service.patch(path, MOVE, { 'if-match': tag });
      await eventually(async () => {
        expect(await runner.query('SELECT 1 FROM pg_locks WHERE NOT granted')).not.toEqual([]);
      });
      await runner.commitTransaction();
      expectProblem(await answer, 412);
      expect(await service.rows()).toMatchObject([{ username: 'grace', region: ADA.region }]);
    } finally {
      await runner.release();
    }
  });
});
