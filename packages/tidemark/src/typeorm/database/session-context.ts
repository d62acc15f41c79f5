/**
 * Checks that a connection of the pool is in the state of a new one: it has the role and settings that are part of
 * every key, no temporary tables and no open transaction, and it does not lead to a standby.
 *
 * A fill checks a connection once, again after another caller has used it, and periodically, since a server that reloads
 * its configuration changes the settings of open connections (docs/decisions/reads.md).
 */
import type { DataSource } from 'typeorm';
import type { Refusal } from '../../core/statement-analysis.js';
import type { PostgresClient } from '../../postgres/postgres-client.js';
import { IS_STANDBY } from '../../postgres/standby.js';
import type { StandbyWatch } from './standby-watch.js';
import { isInTransaction } from './transaction-end.js';

/** Settings that change the result of the same SQL text. */
const ANSWER_SETTINGS = (
  'search_path row_security client_encoding standard_conforming_strings array_nulls ' +
  'transform_null_equals quote_all_identifiers gin_fuzzy_search_limit timezone_abbreviations ' +
  'TimeZone DateStyle IntervalStyle bytea_output extra_float_digits lc_time lc_numeric lc_monetary ' +
  'default_text_search_config xmlbinary server_version_num'
).split(' ');

/** With other values the server parses the text differently from the parser. */
const NEEDED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['standard_conforming_strings', 'on'],
  ['array_nulls', 'on'],
  ['transform_null_equals', 'off'],
]);

/** A connection that only fills have used is checked again after this time. */
const RECHECK_MS = 1_000;

/** The session state that answers over a connection depend on. */
export interface Session {
  /** The database, the roles and the settings. */
  readonly context: readonly string[];
  /** When the connection loaded the server's configuration, by the server's clock. */
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

/** Why no query may be cached in such a session; `undefined` if queries may. */
export function refusalIn({ context }: Session): Refusal | undefined {
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

interface Pool {
  on(event: 'acquire', listener: (client: PostgresClient) => void): unknown;
}

/** A check found the connection in the state of a new one. */
interface Clean {
  readonly session: Session;
  readonly askedAtMs: number;
}

interface Connection {
  /** The result of the latest fill over it, while no other caller has used it since. */
  before?: Clean | undefined;
  /** The result of the fill that holds it now. */
  now?: Clean | undefined;
  /** When it loaded the server's configuration, once it has been queried. */
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

  /** Begins to record which connections are taken; call before one is taken. */
  watch(): void {
    const { master } = this.source.driver as unknown as { master?: Pool };
    // An uninitialised data source has no pool.
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
   * @param client held by the caller, which sends only reads over it.
   * @param expected the session that the keys were made for.
   */
  async whyUncacheable(client: PostgresClient, expected: Session): Promise<Refusal | undefined> {
    const known = this.#connectionOf(client);
    const askedAtMs = performance.now();
    const { before } = known;
    if (before?.session === expected && askedAtMs - before.askedAtMs < RECHECK_MS) {
      known.now = before;
      return undefined;
    }
    const [found] = (await client.query<Found>(CHECK)).rows as [Found];
    // The answer has updated the transaction status.
    if (isInTransaction(client)) {
      return { reason: 'transaction', detail: 'the connection has been left in a transaction' };
    }
    if (found.standby) {
      this.standby.met();
      return { reason: 'standby', detail: 'the database is a standby' };
    }
    const isExpected = found.context.join('\n') === expected.context.join('\n');
    // Earlier fills may have used either configuration, even if the settings now match the keys again.
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

  /** The same check after the answer: detects settings that the server has reported since. */
  async refusalAfter(client: PostgresClient, expected: Session): Promise<Refusal | undefined> {
    if (this.#connectionOf(client).now) return undefined;
    // Detects a reloaded configuration now: there may be no further miss.
    await this.whyUncacheable(client, expected);
    return { reason: 'session-settings', detail: 'a setting has changed meanwhile' };
  }

  #connectionOf(client: PostgresClient): Connection {
    const known = this.#connections.get(client);
    if (known) return known;
    const added: Connection = {};
    this.#connections.set(client, added);
    client.connection?.on('parameterStatus', () => {
      added.before = undefined;
      added.now = undefined;
    });
    return added;
  }
}
