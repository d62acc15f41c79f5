import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { PostgresServer } from '../support/postgres-server.js';
import { createDatabase } from '../support/shared-postgres.js';

describe('PostgresServer', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start({ config: { log_statement: 'all' } });
  });
  afterAll(() => server.stop());

  it('keeps what was committed over a kill and a restart on the same port', async () => {
    const url = await server.createDatabase('kept');
    await server.psql('CREATE TABLE t AS SELECT 7 AS n', 'kept');
    const session = new pg.Client({ connectionString: url });
    const cut = new Promise((resolve) => session.on('error', resolve));
    await session.connect();

    await server.kill();
    await cut;
    await expect(server.psql('SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await server.restart();

    expect(await server.psql('SELECT n FROM t', 'kept')).toEqual([{ n: 7 }]);
    expect(server.urlOf('kept')).toBe(url);
  });

  it('answers nothing while paused, and answers waiting queries once resumed', async () => {
    const session = new pg.Client({ connectionString: server.url });
    await session.connect();
    let answered = false;
    server.pause();
    const answer = session.query('SELECT 1 AS n').then((result) => {
      answered = true;
      return result.rows;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(answered).toBe(false);
    server.resume();
    expect(await answer).toEqual([{ n: 1 }]);
    await session.end();
  });

  it('takes settings and keeps its log', async () => {
    await server.psql("SELECT 'a mark in the log'");
    expect(server.log).toContain('a mark in the log');
  });

  it('is stopped while paused', async () => {
    const other = await PostgresServer.start();
    other.pause();
    await other.stop();
    await expect(other.psql('SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('the shared PostgreSQL server', () => {
  it('gives each caller an empty database', async () => {
    const [first, second] = await Promise.all([createDatabase(), createDatabase()]);
    expect(first).not.toBe(second);
    const client = new pg.Client({ connectionString: first });
    await client.connect();
    const tables = await client.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'");
    await client.end();
    expect(tables.rowCount).toBe(0);
  });
});
