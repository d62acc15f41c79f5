/** The OpenAPI documentation of the service. */
import { describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { useLoggedService } from './support/logged-service.js';

describe('the service', () => {
  let app: NestFastifyApplication;

  useLoggedService((started) => {
    ({ app } = started);
  });

  describe('docs', () => {
    it('describe every route, and errors as problem documents', async () => {
      const document = (await app.inject({ url: '/docs/json' })).json<{
        openapi: string;
        info: { title: string; version: string };
        paths: Record<string, Record<string, { responses: Record<string, object> }>>;
        components: { schemas: Record<string, object> };
      }>();
      expect(document.info).toMatchObject({ title: 'Tidemark', version: expect.any(String) });
      expect(Object.keys(document.paths).toSorted()).toEqual([
        '/health/live',
        '/health/ready',
        '/metrics',
        '/regions',
        '/regions/{region}/move',
        '/users',
        '/users/batch',
        '/users/{id}',
      ]);
      expect(document.components.schemas['Problem']).toMatchObject({
        required: expect.arrayContaining(['type', 'title', 'status', 'detail']),
      });
      expect(document.paths['/users']?.['post']?.responses['409']).toMatchObject({
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      });
    });

    it('have a page that loads from this service alone', async () => {
      const page = await app.inject({ url: '/docs' });
      expect(page.headers['content-type']).toMatch(/^text\/html/);
      const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link);
      expect(links.length).toBeGreaterThan(2);
      for (const link of links) {
        expect(link).toMatch(/^\/docs\//);
        const { statusCode, body } = await app.inject({ url: String(link) });
        expect(statusCode).toBe(200);
        expect(body.length).toBeGreaterThan(0);
      }
    });
  });
});
