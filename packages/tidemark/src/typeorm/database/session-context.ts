/**
 * Whether a connection of the pool is as a new one: its role and settings are those that are part of every key, it has
 * no temporary tables, no transaction is open on it, and it leads to no standby.
 *
 * `SET ROLE`, `SET search_path`, a temporary table that hides another, or an open transaction stay with a connection
 * that goes back to the pool. A fill asks for that once, and again after someone else has had the connection.
 *
 * A server that reloads its configuration changes the settings of living connections. It reports some of them
 * (`TimeZone`, `DateStyle`, `IntervalStyle`, the encoding) with the answer that they first hold for; for the others a
 * connection is asked again.
 */
import type { DataSource } from 'typeorm';
import type { AuditRefusal } from './audit-refusal.js';
import { IS_STANDBY } from '../../postgres/standby.js';
import type { StandbyWatch } from './standby-watch.js';
import { isInTransaction } from './transaction-end.js';

/** Settings that change what the same SQL text answers. */
const ANSWER_SETTINGS = (
  'search_path row_security client_encoding standard_conforming_strings array_nulls ' +
  'transform_null_equals quote_all_identifiers gin_fuzzy_search_limit timezone_abbreviations ' +
  'TimeZone DateStyle IntervalStyle bytea_output extra_float_digits lc_time lc_numeric lc_monetary ' +
  'default_text_search_config xmlbinary server_version_num'
).split(' ');

/** Under other values the server takes the text for another statement than the parser does. */
const NEEDED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['standard_conforming_strings', 'on'],
  ['array_nulls', 'on'],
  ['transform_null_equals', 'off'],
]);

/** A connection that nobody else has had is asked again after this time. */
const RECHECK_MS = 1_000;

/** What answers over a connection depend on. */
export interface Session {
  /** The database, the roles and the settings. */
  readonly context: readonly string[];
  /** When the connection took over the server's configuration, by the server's clock. */
  readonly configuredMs: number;
}

const NAMES = [
  'pg_catalog.current_database()::text',
  'current_user::text',
  'session_user::text',
] as const;

/** The columns of a {@link Session}. */
export const SESSION = `ARRAY[${[
  ...NAMES,
  ...ANSWER_SETTINGS.map((name) => `pg_catalog.current_setting('${name}')`),
].join(', ')}] AS context,
  (EXTRACT(epoch FROM pg_catalog.pg_conf_load_time()) * 1000)::pg_catalog.float8 AS "configuredMs"`;

/** Why nothing at all may be cached in such a session; `undefined` where something may. */
export function refusalIn({ context }: Session): AuditRefusal | undefined {
  for (const [name, needed] of NEEDED_SETTINGS) {
    const value = context[NAMES.length + ANSWER_SETTINGS.indexOf(name)];
    if (value !== needed) {
      return { reason: 'session-settings', detail: `${name} is ${value}, not ${needed}` };
    }
  }
  return undefined;
}

const CHECK = `
SELECT ${SESSION},
       ${IS_STANDBY} AS standby,
       CASE WHEN pg_catalog.pg_my_temp_schema() = 0 THEN false
            ELSE EXISTS (SELECT FROM pg_catalog.pg_class
                          WHERE relnamespace = pg_catalog.pg_my_temp_schema()) END AS temporary`;

interface Found extends Session {
  readonly standby: boolean;
  readonly temporary: boolean;
}

/** The part of a node-postgres client that is used here. */
interface Client {
  query(sql: string): Promise<{ rows: [Found] }>;
  /** Absent where the client is native. */
  readonly connection?: { on(event: 'parameterStatus', listener: () => void): unknown };
}

interface Pool {
  on(event: 'acquire', listener: (client: object) => void): unknown;
}

/** A connection was found to be as a new one. */
interface Clean {
  readonly session: Session;
  readonly askedAtMs: number;
}

interface Connection {
  /** As the latest fill over it found it; nobody else has had it since. */
  before?: Clean | undefined;
  /** As the fill found it that has it now. */
  now?: Clean | undefined;
  /** When it took over the server's configuration, once it has been asked. */
  configuredMs?: number;
}

export class SessionContext {
  #pool: Pool | undefined;
  readonly #connections = new WeakMap<object, Connection>();

  /** @param onReconfigured called when the server has reloaded its configuration. */
  constructor(
    private readonly source: DataSource,
    private readonly onReconfigured: () => void,
    private readonly standby: StandbyWatch,
  ) {}

  /** Begins to note which connections are taken; to be called before one is. */
  watch(): void {
    const { master } = this.source.driver as unknown as { master?: Pool };
    // A data source that is not initialised has none.
    if (!master || master === this.#pool) return;
    this.#pool = master;
    master.on('acquire', (client) => {
      const known = this.#connectionOf(client);
      known.before = known.now;
      known.now = undefined;
    });
  }

  /**
   * Why no answer over this connection may be stored; `undefined` where one may.
   *
   * @param connection held by the caller, who sends nothing but reads over it.
   * @param expected the session that the keys were made for.
   */
  async whyUncacheable(connection: object, expected: Session): Promise<AuditRefusal | undefined> {
    const client = connection as Client;
    const known = this.#connectionOf(client);
    const askedAtMs = performance.now();
    const { before } = known;
    if (before?.session === expected && askedAtMs - before.askedAtMs < RECHECK_MS) {
      known.now = before;
      return undefined;
    }
    const [found] = (await client.query(CHECK)).rows;
    // The answer has brought the present status in.
    if (isInTransaction(client)) {
      return { reason: 'transaction', detail: 'the connection has been left in a transaction' };
    }
    if (found.standby) {
      this.standby.met();
      return { reason: 'standby', detail: 'the database is a standby' };
    }
    const isExpected = found.context.join('\n') === expected.context.join('\n');
    // Earlier fills may be of either configuration, also where the present one is the old one again.
    const isReconfigured =
      known.configuredMs === undefined
        ? !isExpected && found.configuredMs > expected.configuredMs
        : found.configuredMs !== known.configuredMs;
    known.configuredMs = found.configuredMs;
    if (isReconfigured) this.onReconfigured();
    if (!isExpected) {
      return { reason: 'session-settings', detail: 'the connection has other settings' };
    }
    if (found.temporary) {
      return { reason: 'temporary-table', detail: 'the connection has temporary tables' };
    }
    known.now = { session: expected, askedAtMs };
    return undefined;
  }

  /** The same once the answer has arrived: settings that the server has reported meanwhile. */
  async refusalAfter(connection: object, expected: Session): Promise<AuditRefusal | undefined> {
    if (this.#connectionOf(connection).now) return undefined;
    // Finds out at once whether the configuration is another: there may be no further miss.
    await this.whyUncacheable(connection, expected);
    return { reason: 'session-settings', detail: 'a setting has changed meanwhile' };
  }

  #connectionOf(client: object): Connection {
    const known = this.#connections.get(client);
    if (known) return known;
    const added: Connection = {};
    this.#connections.set(client, added);
    (client as Client).connection?.on('parameterStatus', () => {
      added.before = undefined;
      added.now = undefined;
    });
    return added;
  }
}
