/** Reads the database past every cache, over one connection that is reopened when it breaks. */
import pg from 'pg';
import { SESSION_PREFIX } from './member.js';
import type { StoredRow } from './territory.js';

const LIMIT_MS = 5_000;

export class DatabaseView {
  #client: Promise<pg.Client> | undefined;
  #isAway = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly url: string) {}

  /** While a fault keeps it away, no caller waits for it. */
  set isAway(isAway: boolean) {
    this.#isAway = isAway;
  }

  /** The rows of some regions, by id. Rejects while the database is away. */
  rowsOf(regions: readonly string[]): Promise<StoredRow[]> {
    return this.#query<StoredRow>(
      'SELECT id, username, region, email FROM users WHERE region = ANY($1) ORDER BY id',
      [regions],
    );
  }

  /** The number of sessions with this name. Rejects while the database is away. */
  async sessions(name: string): Promise<number> {
    const [row] = await this.#query<{ sessions: number }>(
      'SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE application_name = $1',
      [name],
    );
    return row?.sessions ?? 0;
  }

  /** Ends every session with this prefix of its name; returns their number. */
  async terminate(prefix: string): Promise<number> {
    const rows = await this.#query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE starts_with(application_name, $1)`,
      [prefix],
    );
    return rows.length;
  }

  /** The names of the service's sessions that have written and wait between two statements. */
  async openWriters(): Promise<readonly string[]> {
    const rows = await this.#query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
       WHERE starts_with(application_name, $1) AND state = 'idle in transaction'
         AND backend_xid IS NOT NULL`,
      [SESSION_PREFIX],
    );
    return rows.map(({ name }) => name);
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await (await client?.catch(() => undefined))?.end().catch(() => undefined);
  }

  /** One after another, as one connection takes them. */
  #query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const rows = this.#last.then(() => this.#ask<Row>(text, values));
    this.#last = rows.catch(() => undefined);
    return rows;
  }

  async #ask<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    if (this.#isAway) throw new Error('The database is away');
    const client = this.#client ?? this.#connect();
    try {
      const { rows } = await (await client).query<Row>(text, [...values]);
      return rows;
    } catch (error) {
      if (this.#client === client) await this.close();
      throw error;
    }
  }

  #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: LIMIT_MS,
      query_timeout: LIMIT_MS,
      application_name: 'checker',
    });
    const connected = client.connect().then(() => client);
    // If it breaks while idle, the next query opens another one.
    client.on('error', () => {
      if (this.#client === connected) this.#client = undefined;
    });
    this.#client = connected;
    return connected;
  }
}
