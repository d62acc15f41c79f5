/** Puts the triggers on the tables of the data source's entities, looks after them and takes them off. */
import { QueryFailedError, type DataSource } from 'typeorm';
import {
  inOwnTransaction,
  loadCatalogueOf,
  PLAIN_PLANS,
  type Catalogue,
  type TableFacts,
} from '../../query-cache/index.js';
import type { RunSql } from '../run-sql.js';
import {
  captureStatements,
  enablingStatement,
  functionStatements,
  grantStatements,
  missedStatements,
  outboxStatements,
  removalStatements,
} from './capture-sql.js';
import { CacheTriggersError } from './cache-triggers.error.js';
import { CAPTURE_EVENTS, OutboxObjects } from './outbox-objects.js';
import type { RecordingChanges } from './recording-changes.js';
import { tablesOfEntities, triggerStates, type TriggerState } from './trigger-states.js';

/** Insufficient privilege, or a database that is read only. */
const NOT_ALLOWED: readonly (string | undefined)[] = ['42501', '25006'];
const LOCKED = '55P03';
const DEADLOCK = '40P01';
/** How long a table in use is waited for: meanwhile, others who come to write it wait as well. */
const TABLE_WAIT_MS = 300;
/** How long another instance that installs triggers is waited for. */
const INSTALLER_WAIT_MS = 2_000;
/** Among the advisory locks of a database, the one under which triggers are installed. */
const INSTALL_LOCK = 6_517_833_402_118;

/** The outbox of a namespace, whoever it belongs to. */
export interface OutboxState {
  readonly schema: string;
  readonly rows: number;
  /** Age of the oldest row, in seconds. */
  readonly ageSeconds: number;
}

export interface InstallOptions {
  /**
   * Whether the statements of the data source are followed: the change of the schema is then announced,
   * and ends what was missed while triggers were missing. Else the outbox says so.
   */
  readonly isWatched?: boolean;
  /** Called for each table (`schema.name`) whose triggers were put right. */
  readonly onInstalled?: (table: string) => void;
  /** Carries out the installation on a table, in its transaction. */
  readonly around?: RecordingChanges['ofInstallation'];
}

interface Wanting {
  readonly table: TableFacts;
  readonly state: TriggerState['state'] | undefined;
}

interface Failure extends Wanting {
  readonly error: unknown;
  readonly code: string | undefined;
}

export class CacheTriggers {
  readonly #objects: OutboxObjects;

  /**
   * @param source initialised
   * @param catalogueOf the catalogue, where it is known already
   */
  constructor(
    private readonly source: DataSource,
    namespace: string,
    private readonly catalogueOf: (run: RunSql) => Promise<Catalogue> = async (run) => {
      await run(PLAIN_PLANS);
      return loadCatalogueOf(source, (sql, values) => run(sql, values));
    },
  ) {
    this.#objects = new OutboxObjects(namespace);
  }

  /** The statements that install everything, whatever is there, with what this role then needs. */
  async statements(): Promise<readonly string[]> {
    return this.#statementsFor(await this.#inTransaction((run) => this.#tables(run)));
  }

  async #statementsFor(tables: readonly TableFacts[]): Promise<readonly string[]> {
    const [row] = await this.source.query<{ role: string }[]>('SELECT current_user::text AS role');
    return [
      ...outboxStatements(this.#objects),
      ...tables.flatMap((table) => captureStatements(table, this.#objects)),
      ...missedStatements(this.#objects),
      ...grantStatements(row?.role ?? '', this.#objects),
    ];
  }

  /**
   * Installs what is missing, outdated or switched off; answers the tables it has changed. Where
   * nothing is to be done it takes no lock. Each table has a transaction of its own, which waits for
   * the table only briefly, so that no other table is locked meanwhile.
   *
   * @throws CacheTriggersError where the role may not, or a table is in use; other tables are done then
   */
  async install(options: InstallOptions = {}): Promise<readonly string[]> {
    const installed: string[] = [];
    const failures: Failure[] = [];
    await this.#installOutbox();
    for (const { table, state } of await this.#wanting()) {
      try {
        const isDone = await this.#inTransaction((run) => this.#installOn(table, options, run));
        if (isDone) installed.push(table.id);
        if (isDone) options.onInstalled?.(table.id);
      } catch (error) {
        const code = codeOf(error);
        if (code !== LOCKED && code !== DEADLOCK && !NOT_ALLOWED.includes(code)) throw error;
        failures.push({ table, state, error, code });
      }
    }
    if (failures.length > 0) throw await this.#explained(failures);
    return installed;
  }

  /** @throws CacheTriggersError where tables lack triggers; the message has the SQL */
  async require(): Promise<void> {
    const wanting = await this.#wanting();
    if (wanting.length === 0) return;
    throw await this.#lacking(wanting, 'Triggers are missing, outdated or switched off');
  }

  /**
   * A write that cannot be announced needs it, whether or not there are tables. Where the role may not make it, the
   * tables that need it say so.
   */
  async #installOutbox(): Promise<void> {
    try {
      await this.#inTransaction((run) => this.#makeOutbox(run));
    } catch (error) {
      const code = codeOf(error);
      if (code !== LOCKED && !NOT_ALLOWED.includes(code)) throw error;
    }
  }

  async #makeOutbox(run: RunSql): Promise<void> {
    const [found] = await run(
      `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = 'outbox'`,
      [this.#objects.schema],
    );
    if (found) return;
    await this.#lock(run);
    for (const sql of outboxStatements(this.#objects)) await run(sql);
  }

  async #lock(run: RunSql): Promise<void> {
    await run(`SET LOCAL lock_timeout = ${INSTALLER_WAIT_MS}`);
    await run(`SELECT pg_advisory_xact_lock(${INSTALL_LOCK})`);
  }

  /** Answers whether there was anything to do: another instance may have done it. */
  async #installOn(table: TableFacts, options: InstallOptions, run: RunSql): Promise<boolean> {
    const { isWatched = false, around = (_table, _run, install) => install() } = options;
    await this.#lock(run);
    await run(`SET LOCAL lock_timeout = ${TABLE_WAIT_MS}`);
    const [state] = await triggerStates([table], this.#objects, run);
    if (state?.state === 'installed') return false;
    const statements = state?.state === 'outdated' ? functionStatements : captureStatements;
    await around(table.id, run, async () => {
      await this.#makeOutbox(run);
      for (const sql of statements(table, this.#objects)) await run(sql);
    });
    if (!isWatched) for (const sql of missedStatements(this.#objects)) await run(sql);
    return true;
  }

  /** Takes the triggers off every table that has them, and the outbox away with what it holds. */
  async remove(): Promise<void> {
    const tables = await this.source.query<{ schema: string; name: string }[]>(
      `SELECT DISTINCT n.nspname AS schema, c.relname AS name
         FROM pg_catalog.pg_trigger t
         JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE t.tgname = ANY ($1::text[])`,
      [CAPTURE_EVENTS.map((event) => this.#objects.trigger(event))],
    );
    await this.source.transaction(async (manager) => {
      for (const sql of removalStatements(tables, this.#objects)) await manager.query(sql);
    });
  }

  /** How each table that is to have triggers stands. */
  async check(): Promise<readonly TriggerState[]> {
    return this.#inTransaction(async (run) =>
      triggerStates(await this.#tables(run), this.#objects, run),
    );
  }

  #inTransaction<T>(work: (run: RunSql) => Promise<T>): Promise<T> {
    return inOwnTransaction(this.source, 'START TRANSACTION', (runner) =>
      work((sql, values) => runner.query(sql, values)),
    );
  }

  /** All outboxes of the database: one that nobody reads any more is to be removed. */
  async outboxes(): Promise<readonly OutboxState[]> {
    const schemas = await this.source.query<{ schema: string; table: string }[]>(
      `SELECT n.nspname AS schema, c.oid::regclass::text AS table
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = 'outbox' AND c.relkind = 'r' AND starts_with(n.nspname, 'tidemark_')
          AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        ORDER BY 1`,
    );
    const states: OutboxState[] = [];
    for (const { schema, table } of schemas) {
      const [row] = await this.source.query<{ rows: number; age: number | null }[]>(
        `SELECT count(*)::int AS rows,
                extract(epoch FROM clock_timestamp() - min(recorded_at))::float8 AS age FROM ${table}`,
      );
      states.push({ schema, rows: row?.rows ?? 0, ageSeconds: row?.age ?? 0 });
    }
    return states;
  }

  /** @param run in a transaction */
  async #tables(run: RunSql): Promise<readonly TableFacts[]> {
    return tablesOfEntities(this.source, await this.catalogueOf(run));
  }

  async #wanting(): Promise<readonly Wanting[]> {
    return this.#inTransaction(async (run) => {
      const tables = await this.#tables(run);
      const states = await triggerStates(tables, this.#objects, run);
      return tables
        .map((table, index) => ({ table, state: states[index]?.state }))
        .filter(({ state }) => state !== 'installed');
    });
  }

  async #explained(failures: readonly Failure[]): Promise<CacheTriggersError> {
    const refused = failures.filter(({ code }) => NOT_ALLOWED.includes(code));
    const [{ error: cause } = { error: undefined }] = refused;
    if (cause === undefined) {
      return new CacheTriggersError(
        `The tables were in use and are tried again: ${failures.map(({ table }) => table.id).join(', ')}.`,
        { tables: failures.map(({ table }) => table), isTemporary: true },
        { cause: failures[0]?.error },
      );
    }
    return this.#lacking(
      refused,
      `The role of the service may not install the triggers (${(cause as Error).message})`,
      { cause },
    );
  }

  async #lacking(
    wanting: readonly Wanting[],
    reason: string,
    options?: ErrorOptions,
  ): Promise<CacheTriggersError> {
    const tables = wanting.map(({ table }) => table);
    const enabling = wanting
      .filter(({ state }) => state === 'disabled')
      .map(({ table }) => enablingStatement(table, this.#objects));
    const sql = (await this.#statementsFor(tables)).join(';\n');
    const message = `${reason}. Let the owner of the tables run this:\n${sql};`;
    return new CacheTriggersError(message, { tables, enabling }, options);
  }
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error instanceof QueryFailedError ? error.driverError : {}) as {
    code?: string;
  };
  return code;
}
