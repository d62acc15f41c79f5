/** The metrics of the service. */
import { describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { eventually } from '../support/eventually.js';
import { useLoggedService } from './support/logged-service.js';

describe('the service', () => {
  let app: NestFastifyApplication;

  useLoggedService((started) => {
    ({ app } = started);
  });

  describe('metrics', () => {
    it('measure requests by route, not by path', async () => {
      await app.inject({ url: '/users/2147483647' });
      await app.inject({ url: '/nowhere/else' });
      const text = await eventually(async () => {
        const response = await app.inject({ url: '/metrics' });
        expect(response.headers['content-type']).toMatch(/^text\/plain/);
        expect(response.body).toContain('route="unmatched",method="GET",status="404"');
        return response.body;
      });
      expect(text).toContain(
        'tidemark_http_request_duration_seconds_count{route="/users/:id",method="GET",status="404"}',
      );
      expect(text).not.toContain('2147483647');
      expect(text).not.toContain('/nowhere');
      expect(text).toContain('process_cpu_seconds_total');
      expect(text).toContain('tidemark_cache_hits_total');
    });

    it("count the cache's outcomes", async () => {
      const hits = async () => {
        const { body } = await app.inject({ url: '/metrics' });
        return Number(
          /^tidemark_cache_hits_total\{query="regions.counts",level="L1"\} (\d+)$/m.exec(
            body,
          )?.[1] ?? 0,
        );
      };
      const before = await hits();
      await eventually(async () => {
        const { headers } = await app.inject({ url: '/regions' });
        expect(headers['cache-status']).toMatch(/^tidemark; hit/);
      });
      expect(await hits()).toBe(before + 1);
    });
  });
});
