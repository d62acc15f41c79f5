/** The health of the service, with its database and without. */
import { describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { eventually } from '../support/eventually.js';
import { PostgresServer } from '../support/postgres-server.js';
import { RedisServer } from '../support/redis-server.js';
import { createDatabase } from '../support/shared-postgres.js';
import { startLoggedService, useLoggedService } from './support/logged-service.js';

describe('the service', () => {
  let app: NestFastifyApplication;

  useLoggedService((started) => {
    ({ app } = started);
  });

  describe('health', () => {
    it('is live', async () => {
      const response = await app.inject({ url: '/health/live' });
      expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok' }]);
      expect(response.headers['cache-control']).toBe('no-store');
    });

    it('is ready, and names its dependencies', async () => {
      const response = await app.inject({ url: '/health/ready' });
      expect(response.statusCode).toBe(200);
      expect(response.json()).toMatchObject({
        status: 'ok',
        details: {
          database: { status: 'up' },
          cache: { status: 'up', release: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
        },
      });
    });
  });
});

describe('the service that Redis refuses', () => {
  it('reports that without the reason, which the log has once, and names the release', async () => {
    const redis = await RedisServer.start({ config: { requirepass: 'secret' } });
    const url = new URL(redis.url);
    Object.assign(url, { username: 'default', password: 'wrong-password' });
    const service = await startLoggedService(await createDatabase(), {
      REDIS_URL: url.href,
      CACHE_RELEASE: '2.0.0-rc.1',
    });
    try {
      const { app, lines, records } = service;
      const reasons = () => records().filter(({ msg }) => /WRONGPASS/.test(String(msg)));
      await eventually(async () => {
        expect((await app.inject({ url: '/health/ready' })).json()).toMatchObject({
          details: { cache: { status: 'degraded' } },
        });
        expect(reasons()).toHaveLength(1);
      });
      const { body, statusCode } = await app.inject({ url: '/health/ready' });
      expect(JSON.parse(body)).toMatchObject({ details: { cache: { release: '2.0.0-rc.1' } } });
      expect(lines.join('')).toContain(
        'Release 2.0.0-rc.1: answers that other releases have stored are not read',
      );
      const metrics = await app.inject({ url: '/metrics' });
      expect(metrics.body).toContain('tidemark_release_info{release="2.0.0-rc.1"} 1');
      expect(statusCode).toBe(200);
      expect(body).toContain('Redis is not available');
      expect(body).not.toMatch(/WRONGPASS|default|password|127\.0\.0\.1|ECONN|\d{4,}/);
      expect(lines.join('')).not.toContain('wrong-password');
    } finally {
      await service.app.close();
      await redis.stop();
    }
  });
});

describe('the service whose Redis lost its data during a transaction of others', () => {
  it('bypasses the cache without waiting, names the transaction, and uses the cache again after its end', async () => {
    const redis = await RedisServer.start();
    const url = await createDatabase();
    const otherClient = new Client({ connectionString: url, application_name: 'nightly job' });
    const service = await startLoggedService(url, { REDIS_URL: redis.url });
    const { app, records } = service;
    const cacheStatus = async () =>
      String((await app.inject({ url: '/users/1' })).headers['cache-status']);
    const gauge = async () =>
      /^tidemark_cache_awaited_transactions (\d+)$/m.exec(
        (await app.inject({ url: '/metrics' })).body,
      )?.[1];
    const warnings = () => records().filter(({ msg }) => /nightly job/.test(String(msg)));
    try {
      await eventually(async () => expect(await cacheStatus()).toMatch(/^tidemark; hit/));
      await otherClient.connect();
      await otherClient.query('BEGIN');
      await otherClient.query('CREATE TABLE of_the_job ()');
      const { rows } = await otherClient.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const pid = rows[0]?.pid;
      await redis.restart({ empty: true });

      const degraded = await eventually(async () => {
        expect(await cacheStatus()).toBe('tidemark; fwd=bypass; detail=settling');
        const { statusCode, body } = await app.inject({ url: '/health/ready' });
        expect(body).toContain('nightly job');
        expect(statusCode).toBe(200);
        return body;
      });
      expect(degraded).toMatch(
        new RegExp(
          `process ${pid} \\(application .{0,4}nightly job.{0,4}, since \\d{4}-\\d\\d-\\d\\dT`,
        ),
      );
      expect(await gauge()).toBe('1');
      expect(warnings().map(({ msg }) => msg)).toEqual([
        expect.stringContaining(`SELECT pg_terminate_backend(${pid})`),
      ]);
      for (let read = 0; read < 50; read += 1) {
        expect(await cacheStatus()).toBe('tidemark; fwd=bypass; detail=settling');
      }

      await otherClient.query('ROLLBACK');
      await eventually(async () => {
        expect(await cacheStatus()).toMatch(/^tidemark; hit/);
        expect((await app.inject({ url: '/health/ready' })).body).not.toContain('degraded');
      });
      expect(await gauge()).toBe('0');
      expect(warnings()).toHaveLength(1);
    } finally {
      await otherClient.end();
      await app.close();
      await redis.stop();
    }
  });
});

describe('the service without its database', () => {
  it('reports that, sends Retry-After to clients, and recovers', async () => {
    const postgres = await PostgresServer.start();
    const { app, lines } = await startLoggedService(await postgres.createDatabase());
    try {
      await postgres.kill();
      const ready = await app.inject({ url: '/health/ready' });
      expect(ready.statusCode).toBe(503);
      expect(ready.json()).toMatchObject({
        status: 'error',
        details: { database: { status: 'down' }, cache: { status: 'up' } },
      });
      expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200);
      const read = await app.inject({ url: '/users/1' });
      expect(read.statusCode).toBe(503);
      expect(read.headers['retry-after']).toBe('5');
      expect(read.json()).toMatchObject({ type: 'urn:tidemark:problem:database-unavailable' });
      expect(read.body).not.toMatch(/127\.0\.0\.1|ECONN/);
      await postgres.restart();
      await eventually(async () => {
        expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200);
      });
      expect((await app.inject({ url: '/users/1' })).statusCode).toBe(404);
      expect(lines.join('')).not.toMatch(/SELECT/);
    } finally {
      await app.close();
      await postgres.stop();
    }
  });
});
