/** The request ids and security headers of every route. */
import { describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { eventually } from '../support/eventually.js';
import { useLoggedService, type LoggedService } from './support/logged-service.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the service', () => {
  let app: NestFastifyApplication;
  let lines: LoggedService['lines'];
  let records: LoggedService['records'];

  useLoggedService((started) => {
    ({ app, lines, records } = started);
  });

  describe('request ids', () => {
    it.each(['abc-123', 'A.b_c:9', 'x'.repeat(64)])('are taken over: %s', async (id) => {
      const { headers } = await app.inject({
        url: '/health/live',
        headers: { 'x-request-id': id },
      });
      expect(headers['x-request-id']).toBe(id);
    });

    it.each(['', 'two words', 'x'.repeat(65), '-rf', 'a"b', 'é'])(
      'are generated where the given one is not plain: "%s"',
      async (id) => {
        const { headers } = await app.inject({
          url: '/health/live',
          headers: { 'x-request-id': id },
        });
        expect(headers['x-request-id']).toMatch(UUID);
      },
    );

    it('lead to the request in the log, without its query or body', async () => {
      await app.inject({
        method: 'POST',
        url: '/users?token=hidden-query',
        headers: { 'x-request-id': 'find-me' },
        payload: { username: 'hidden-body' },
      });
      const found = await eventually(() => {
        const record = records().find(({ requestId }) => requestId === 'find-me');
        if (!record) throw new Error('no such record');
        return Promise.resolve(record);
      });
      expect(found).toMatchObject({
        level: 'info',
        method: 'POST',
        path: '/users',
        route: '/users',
        status: 400,
      });
      expect(found['durationMs']).toBeGreaterThan(0);
      expect(lines.join('')).not.toContain('hidden-');
    });
  });

  describe('security headers', () => {
    it.each(['/health/live', '/metrics', '/docs', '/docs/json', '/users', '/nowhere'])(
      'are on %s',
      async (url) => {
        const { headers } = await app.inject({ url });
        expect(headers).toMatchObject({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
          'content-security-policy': expect.stringMatching(
            /^default-src 'none';.*frame-ancestors 'none'/,
          ),
        });
        expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
        expect(headers).not.toHaveProperty('x-powered-by');
      },
    );
  });
});
