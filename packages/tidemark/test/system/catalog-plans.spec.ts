/** A server that compiles expensive queries (JIT), which embedded ones cannot. */
import { describe, expect, it } from 'vitest';
import { CacheTriggers } from '../../src/index.js';
import { CachedApplication } from '../support/cached-application.js';
import { PostgresServer } from '../../../../test/support/postgres-server.js';
import { Bystander } from '../fixtures/entities.js';

const COMPILED = /JIT:\s+Functions/;

describe('the queries of the catalog', () => {
  it('are not compiled, which would take seconds', async () => {
    const server = await PostgresServer.start({
      config: {
        jit: 'on',
        session_preload_libraries: 'auto_explain',
        'auto_explain.log_min_duration': '0',
        'auto_explain.log_analyze': 'on',
        'auto_explain.log_timing': 'off',
      },
    });
    try {
      const databaseUrl = await server.createDatabase();
      const app = await CachedApplication.start({
        databaseUrl,
        entities: [Bystander],
        synchronize: true,
      });
      const triggers = new CacheTriggers(app.source, 'tidemark');
      await triggers.install();
      await triggers.check();
      expect(server.log).toContain('pg_catalog.pg_proc');
      expect(server.log).not.toMatch(COMPILED);
      await app.source.query('SET jit_above_cost = 0');
      await app.source.query('SELECT count(*) FROM pg_proc');
      await app.stop();
      expect(server.log).toMatch(COMPILED);
    } finally {
      await server.stop();
    }
  });
});
