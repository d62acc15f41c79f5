/** Two ways to make COMMIT take as long as a test wants. */
import type pg from 'pg';
import { expect } from 'vitest';
import type { Answer } from '../../e2e/support/answer.js';
import { eventually } from '../../support/eventually.js';
import type { FaultCluster } from './fault-cluster.js';

/** A cluster, as far as its database goes. */
interface Database {
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  session<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
}

const GATE_LOCK = 20_261_123;

/**
 * While `work` runs, COMMIT waits in the server after it has been decided: for a standby that does
 * not exist. The written rows are visible only when the wait ends, by whatever means. Every writing
 * transaction waits so.
 */
export async function whileStandbyIsMissing(
  cluster: FaultCluster,
  work: (letGo: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const name = (standbys: string): Promise<unknown> =>
    cluster.postgres.psql(`ALTER SYSTEM SET synchronous_standby_names = '${standbys}'`);
  const reloaded = async (standbys: string): Promise<void> => {
    await cluster.postgres.psql('SELECT pg_reload_conf()');
    await eventually(async () => {
      const [row] = await cluster.sql('SHOW synchronous_standby_names');
      expect(row).toEqual({ synchronous_standby_names: standbys });
    });
  };
  const letGo = async (): Promise<void> => {
    await name('');
    await reloaded('');
  };
  await name('nobody');
  await reloaded('nobody');
  try {
    await work(letGo);
  } finally {
    await letGo();
  }
}

export type Verdict = 'commit' | 'rollback';

/**
 * While `work` runs, COMMIT of a transaction that has updated users waits in the server before it
 * is decided: in a deferred trigger, for the verdict.
 */
export async function whileCommitsWait(
  cluster: Database,
  work: (decide: (verdict: Verdict) => Promise<void>) => Promise<void>,
): Promise<void> {
  await cluster.sql(`
    CREATE SCHEMA gate;
    CREATE TABLE gate.verdicts (verdict text);
    CREATE FUNCTION gate.wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(${GATE_LOCK});
      IF EXISTS (SELECT FROM gate.verdicts WHERE verdict = 'rollback') THEN
        RAISE EXCEPTION 'the gate is closed' USING ERRCODE = 'check_violation';
      END IF;
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER gate AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION gate.wait()`);
  try {
    await cluster.session(async (client) => {
      await client.query('SELECT pg_advisory_lock($1)', [GATE_LOCK]);
      await work(async (verdict) => {
        await client.query('INSERT INTO gate.verdicts VALUES ($1)', [verdict]);
        await client.query('SELECT pg_advisory_unlock($1)', [GATE_LOCK]);
      });
    });
  } finally {
    await cluster.sql('DROP SCHEMA gate CASCADE');
  }
}

/** The status of the answer; `undefined` where none came. */
export function statusOf(answer: Promise<Answer>): Promise<number | undefined> {
  return answer.then(
    ({ status }) => status,
    () => undefined,
  );
}

/** Waits until a COMMIT waits in the server; returns the process id of its backend. */
export function waitingCommit(cluster: Database): Promise<number> {
  return eventually(async () => {
    const rows = await cluster.sql<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE query = 'COMMIT' AND state = 'active' AND wait_event IN ('SyncRep', 'advisory')`,
    );
    expect(rows).toHaveLength(1);
    return rows[0]?.pid ?? 0;
  });
}
