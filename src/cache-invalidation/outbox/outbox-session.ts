/** The questions a relay asks over the one connection it has. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { IS_STANDBY, StandbyError } from '../../query-cache/index.js';
import type { OutboxObjects } from './outbox-objects.js';
import { parseRecord, type OutboxRecord } from './outbox-record.js';

/** First half of the advisory lock's key; the second is the namespace's. */
const RELAY_LOCK = 0x74696472;
/** A server that does not answer in this time is given up. */
const QUERY_TIMEOUT_MS = 10_000;
const CLOSE_LIMIT_MS = 1_000;
/** Before every row. */
export const FIRST_ID = '-9223372036854775808';
/** Under which the session shows in `pg_stat_activity`, unless the data source has a name of its own. */
export const RELAY_NAME = 'tidemark relay';
/** Rows removed at once, so that it takes no longer than a query may. */
const MOST_REMOVED = 10_000;

export interface Backlog {
  readonly rows: number;
  /** Age of the oldest row by the database's clock, in milliseconds; 0 without rows. */
  readonly ageMs: number;
}

export interface OutboxAccess {
  /** The role of the session. */
  readonly role: string;
  readonly exists: boolean;
  readonly isUsable: boolean;
}

export interface LockHolder {
  readonly pid: number;
  readonly role: string | null;
}

export class OutboxSession {
  #wake: () => void = () => undefined;
  #isNotified = false;
  #failure: Error | undefined;

  private constructor(
    private readonly client: pg.Client,
    private readonly objects: OutboxObjects,
  ) {
    client.on('notification', () => {
      this.#isNotified = true;
      this.#wake();
    });
    client.on('error', (error) => {
      this.#failure = error;
      this.#wake();
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
    await client.connect();
    return session;
  }

  async close(): Promise<void> {
    // Where the server does not answer, the socket's end is the end.
    const late = pause(CLOSE_LIMIT_MS, undefined, { ref: false });
    await Promise.race([this.client.end().catch(() => undefined), late]);
  }

  /**
   * Whether there is an outbox, and the role may do with it what the service does.
   *
   * @throws StandbyError where the server is a standby, over which nothing can be relayed.
   */
  async access(): Promise<OutboxAccess> {
    const [row] = await this.run(
      `SELECT current_user::text AS role,
              EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = $1 AND c.relname = 'outbox') AS exists, COALESCE((
         SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
            AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
            AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
            AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = 'outbox'), false) AS "isUsable",
              ${IS_STANDBY} AS "isStandby"`,
      [this.objects.schema],
    );
    if (row?.['isStandby'] === true) throw new StandbyError();
    return row as unknown as OutboxAccess;
  }

  /** Takes the lock that only one relay of the namespace has. */
  async tryLock(): Promise<boolean> {
    const [row] = await this.run(
      'SELECT pg_catalog.pg_try_advisory_lock($1, pg_catalog.hashtext($2)) AS taken',
      [RELAY_LOCK, this.objects.schema],
    );
    return row?.['taken'] === true;
  }

  /** The oldest row: where it stays the same, the relay that has the lock does not go on. */
  async oldestId(): Promise<string | undefined> {
    const [row] = await this.run(
      `SELECT o.id::text FROM ${this.objects.table} AS o ORDER BY o.id LIMIT 1 FOR KEY SHARE SKIP LOCKED`,
    );
    return (row?.['id'] as string | null | undefined) ?? undefined;
  }

  /** The session that has the lock; `undefined` where none has it any more. */
  async holder(): Promise<LockHolder | undefined> {
    const [row] = await this.run(
      `SELECT l.pid, a.usename AS role
         FROM pg_catalog.pg_locks l
         LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
          AND l.classid = $1::int8::oid
          AND l.objid = (pg_catalog.hashtext($2)::int8 & 4294967295)::oid
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
          AND l.pid <> pg_catalog.pg_backend_pid()`,
      [RELAY_LOCK, this.objects.schema],
    );
    return row as LockHolder | undefined;
  }

  /** Ends a session. Rejects where the role has not the right to. */
  async terminate({ pid }: LockHolder): Promise<void> {
    await this.run('SELECT pg_catalog.pg_terminate_backend($1)', [pid]);
  }

  async listen(): Promise<void> {
    await this.run(`LISTEN ${pg.escapeIdentifier(this.objects.channel)}`);
  }

  /** Whether transactions can be prepared: whoever commits one of those notifies nobody. */
  async canPrepare(): Promise<boolean> {
    const [row] = await this.run(
      `SELECT pg_catalog.current_setting('max_prepared_transactions') <> '0' AS "canPrepare"`,
    );
    return row?.['canPrepare'] === true;
  }

  /**
   * Resolves when something was said on the channel since the last call, after the time, or when the
   * signal is given. Rejects where the connection is cut.
   */
  async notified(limitMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isNotified && !this.#failure && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.#wake, { once: true });
      });
      signal.removeEventListener('abort', this.#wake);
      this.#wake = () => undefined;
    }
    this.#isNotified = false;
    if (this.#failure) throw this.#failure;
  }

  /** The oldest rows after one. */
  async next(afterId: string, most: number): Promise<readonly OutboxRecord[]> {
    const rows = await this.run(
      // Ordered by the number: `id` alone would be the text that is answered.
      `SELECT o.id::text, o.table_name, o.regions,
              CASE WHEN isfinite(o.recorded_at)
                THEN extract(epoch FROM clock_timestamp() - o.recorded_at) * 1000 ELSE 0 END AS age_ms
         FROM ${this.objects.table} AS o WHERE o.id > $1::bigint ORDER BY o.id LIMIT $2`,
      [afterId, most],
    );
    return rows.map(parseRecord);
  }

  /** Of all rows there are. */
  async ids(): Promise<readonly string[]> {
    const rows = await this.run(`SELECT id::text FROM ${this.objects.table}`);
    return rows.map(({ id }) => String(id));
  }

  /** Leaves rows that somebody else holds: another relay that removes them, as a rule. */
  async remove(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += MOST_REMOVED) {
      const part = ids.slice(from, from + MOST_REMOVED);
      await this.run(
        `DELETE FROM ${this.objects.table} WHERE id IN (
           SELECT id FROM ${this.objects.table} WHERE id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED)`,
        [part],
      );
    }
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

  /** Process id of the session's backend. */
  get backendPid(): number {
    return (this.client as unknown as { processID: number | null }).processID ?? 0;
  }

  async run(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.client.query<Record<string, unknown>>(sql, values)).rows;
  }
}
