/** The statements that a relay sends over its only connection. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { IS_STANDBY, StandbyError } from '../standby.js';
import { parseRecord, type OutboxRecord } from './captured-writes.js';
import type { OutboxObjects } from './outbox-objects.js';

/** First half of the advisory lock's key; the namespace gives the second. */
export const RELAY_LOCK = 0x74696472;
/** Time limit for an answer of the server, in milliseconds. */
const QUERY_TIMEOUT_MS = 10_000;
const CLOSE_LIMIT_MS = 1_000;
/** A relay that is idle for longer does not relay: the server ends its session, and so releases the lock. */
const IDLE_LIMIT_MS = 5_000;
/** Smaller than the id of every row. */
export const FIRST_ID = '-9223372036854775808';
/** The session's name in `pg_stat_activity`, unless the data source sets one. */
const RELAY_NAME = 'tidemark relay';
/** Rows removed per statement, to stay within the time limit of a query. */
const MAX_REMOVED = 10_000;

export interface Backlog {
  readonly rows: number;
  /** Age of the oldest row by the database's clock, in milliseconds; 0 without rows. */
  readonly ageMs: number;
}

export interface OutboxAccess {
  /** The session's role. */
  readonly role: string;
  readonly exists: boolean;
  /** Whether the role has all rights on the outbox that the service needs. */
  readonly isUsable: boolean;
}

export class OutboxSession {
  #waiting = new AbortController();
  #failure: Error | undefined;

  private constructor(
    private readonly client: pg.Client,
    private readonly objects: OutboxObjects,
  ) {
    client.on('notification', this.wake);
    client.on('error', (error) => {
      this.#failure = error;
      this.wake();
    });
  }

  static async open(options: pg.ClientConfig, objects: OutboxObjects): Promise<OutboxSession> {
    const client = new pg.Client({
      ...options,
      application_name: options.application_name ?? RELAY_NAME,
      connectionTimeoutMillis: options.connectionTimeoutMillis || QUERY_TIMEOUT_MS,
      keepAlive: true,
      query_timeout: QUERY_TIMEOUT_MS,
    });
    const session = new OutboxSession(client, objects);
    try {
      await client.connect();
      await session.run(`SET idle_session_timeout = ${IDLE_LIMIT_MS}`);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    // If the server does not answer, closing the socket ends the session.
    const late = pause(CLOSE_LIMIT_MS, undefined, { ref: false });
    await Promise.race([this.client.end().catch(() => undefined), late]);
  }

  /** @throws StandbyError if the server is a standby, over which nothing can be relayed. */
  async access(): Promise<OutboxAccess> {
    const [row] = await this.run(
      `SELECT current_user::text AS role, ${IS_STANDBY} AS "isStandby", c.oid IS NOT NULL AS exists,
              COALESCE(pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (
                SELECT pg_catalog.bool_and(pg_catalog.has_table_privilege(c.oid, privilege))
                  FROM pg_catalog.unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS privilege), false) AS "isUsable"
         FROM (VALUES ($1)) AS outbox(schema)
         LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = outbox.schema
         LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'outbox'`,
      [this.objects.schema],
    );
    if (row?.['isStandby'] === true) throw new StandbyError();
    return row as unknown as OutboxAccess;
  }

  /** Takes the lock that only one relay per namespace holds. */
  async tryLock(): Promise<boolean> {
    const [row] = await this.run(
      'SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2)) AS taken',
      [RELAY_LOCK, this.objects.schema],
    );
    return row?.['taken'] === true;
  }

  /** The oldest row: if it stays the same, the relay that holds the lock makes no progress. */
  async oldestId(): Promise<unknown> {
    const [row] = await this.run(
      `SELECT o.id::text FROM ${this.objects.table} AS o ORDER BY o.id LIMIT 1 FOR KEY SHARE SKIP LOCKED`,
    );
    return row?.['id'];
  }

  /** The session that holds the lock, and the time of its last statement; `undefined`: no session holds it any more. */
  async lockHolder(): Promise<unknown> {
    const [row] = await this.run(
      `SELECT pg_catalog.concat_ws(' ', l.pid, a.state_change) AS holder
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND l.classid = $1::int8::oid
          AND l.objid = (pg_catalog.hashtext($2)::int8 & 4294967295)::oid
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`,
      [RELAY_LOCK, this.objects.schema],
    );
    return row?.['holder'];
  }

  async listen(): Promise<void> {
    await this.run(`LISTEN ${this.objects.quotedSchema}`);
  }

  /**
   * Resolves after a notification since the last call, or after the time limit. Rejects if the connection has failed.
   */
  async notified(limitMs: number): Promise<void> {
    const { signal } = this.#waiting;
    await pause(limitMs, undefined, { signal, ref: false }).catch(() => undefined);
    this.#waiting = new AbortController();
    if (this.#failure) throw this.#failure;
  }

  /** Ends the current wait for a notification, or the next one. */
  readonly wake = (): void => this.#waiting.abort();

  /** The oldest rows with a larger id. */
  async next(afterId: string, most: number): Promise<readonly OutboxRecord[]> {
    const rows = await this.run(
      // Orders by the number: a bare `id` would mean the selected text.
      `SELECT o.id::text, o.table_name, o.regions,
              CASE WHEN isfinite(o.recorded_at)
                THEN extract(epoch FROM clock_timestamp() - o.recorded_at) * 1000 ELSE 0 END AS age_ms
         FROM ${this.objects.table} AS o WHERE o.id > $1::bigint ORDER BY o.id LIMIT $2`,
      [afterId, most],
    );
    return rows.map(parseRecord);
  }

  /** The ids of all rows. */
  async ids(): Promise<readonly string[]> {
    const rows = await this.run(`SELECT id::text FROM ${this.objects.table}`);
    return rows.map(({ id }) => String(id));
  }

  /** Skips rows that another session has locked: usually a relay that removes them. */
  async remove(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += MAX_REMOVED) {
      await this.run(
        `DELETE FROM ${this.objects.table} WHERE id IN (
           SELECT id FROM ${this.objects.table} WHERE id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED)`,
        [ids.slice(from, from + MAX_REMOVED)],
      );
    }
  }

  /** Inserts a row for each of the tables, also where there is one, which another relay may be about to remove. */
  async record(tables: readonly string[]): Promise<void> {
    await this.run(
      `INSERT INTO ${this.objects.table} (table_name) SELECT pg_catalog.unnest($1::text[])`,
      [tables],
    );
  }

  async backlog(): Promise<Backlog> {
    const [row] = await this.run(
      `SELECT count(*)::int AS rows,
              COALESCE(extract(epoch FROM clock_timestamp()
                - min(recorded_at) FILTER (WHERE isfinite(recorded_at))) * 1000, 0) AS age_ms
         FROM ${this.objects.table}`,
    );
    return { rows: Number(row?.['rows'] ?? 0), ageMs: Number(row?.['age_ms'] ?? 0) };
  }

  async run(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.client.query<Record<string, unknown>>(sql, values)).rows;
  }
}
