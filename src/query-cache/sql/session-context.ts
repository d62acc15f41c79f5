/**
 * Whether a connection of the pool is as a new one: its role and settings are those that are part
 * of every key, it has no tables of its own, and no transaction is open on it.
 *
 * Anyone may have used the connection before: `SET ROLE`, `SET search_path`, a temporary table
 * that hides another, or an open transaction stay with it when it goes back to the pool. A fill
 * asks for that once, and again after someone else has had the connection.
 */
import type { DataSource } from 'typeorm';
import type { AuditRefusal } from './fill-audit.js';

/** Settings that change what the same SQL text answers. */
const ANSWER_SETTINGS = [
  'search_path',
  'row_security',
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'bytea_output',
  'extra_float_digits',
  'lc_time',
  'lc_numeric',
  'lc_monetary',
  'default_text_search_config',
  'xmlbinary',
  'server_version_num',
];

/** The database, role and settings that answers depend on, as a list of texts. */
export const SESSION_CONTEXT = `ARRAY[
  pg_catalog.current_database()::text, current_user::text, session_user::text,
  ${ANSWER_SETTINGS.map((name) => `pg_catalog.current_setting('${name}')`).join(', ')}]`;

const CHECK = `
SELECT ${SESSION_CONTEXT} AS context,
       CASE WHEN pg_catalog.pg_my_temp_schema() = 0 THEN false
            ELSE EXISTS (SELECT FROM pg_catalog.pg_class
                          WHERE relnamespace = pg_catalog.pg_my_temp_schema()) END AS temporary`;

/** The part of a node-postgres client that is used here. */
interface Client {
  query(sql: string): Promise<{ rows: { context: string[]; temporary: boolean }[] }>;
  getTransactionStatus(): string | null;
}

interface Pool {
  on(event: 'acquire', listener: (client: object) => void): unknown;
}

export class SessionContext {
  #pool: Pool | undefined;
  /** How often each connection has been taken from the pool. */
  readonly #taken = new WeakMap<object, number>();
  /** The count at which a connection was found to be as a new one, and under which context. */
  readonly #clean = new WeakMap<object, { taken: number; context: readonly string[] }>();

  constructor(private readonly source: DataSource) {}

  /** Begins to count who takes connections; to be called before one is taken. */
  watch(): void {
    const { master } = this.source.driver as unknown as { master: Pool };
    if (master === this.#pool) return;
    this.#pool = master;
    master.on('acquire', (client) => this.#taken.set(client, this.#count(client) + 1));
  }

  /**
   * Why no answer over this connection may be stored; `undefined` where one may.
   *
   * @param connection held by the caller, who sends nothing but reads over it.
   * @param expected what {@link SESSION_CONTEXT} answered when the keys were made.
   */
  async refusalOf(
    connection: unknown,
    expected: readonly string[],
  ): Promise<AuditRefusal | undefined> {
    const client = connection as Client;
    const taken = this.#count(client);
    const clean = this.#clean.get(client);
    if (clean?.context === expected && clean.taken === taken - 1) {
      clean.taken = taken;
      return undefined;
    }
    this.#clean.delete(client);
    const { rows } = await client.query(CHECK);
    // The answer has brought the present status in.
    if (client.getTransactionStatus() !== 'I') {
      return { reason: 'transaction', detail: 'the connection has been left in a transaction' };
    }
    const [found] = rows;
    if (found?.context.join('\n') !== expected.join('\n')) {
      return { reason: 'session-settings', detail: 'someone has changed the connection' };
    }
    if (found.temporary) {
      return { reason: 'temporary-table', detail: 'the connection has temporary tables' };
    }
    this.#clean.set(client, { taken, context: expected });
    return undefined;
  }

  #count(client: object): number {
    return this.#taken.get(client) ?? 0;
  }
}
