/** Installs the triggers on the tables of the data source's entities, checks them and removes them. */
import type { DataSource } from 'typeorm';
import { sqlStateOf } from '../../postgres/sql-state.js';
import { readPrimary } from '../database/own-question.js';
import { inImplicitTransaction } from '../database/transaction-end.js';
import { loadCatalogOf, PLAIN_PLANS } from '../database/catalog-cache.js';
import type { Catalog, TableFacts } from '../../core/table-facts.js';
import type { RunSql } from '../../postgres/postgres-client.js';
import {
  captureStatements,
  enablingStatement,
  functionStatements,
  grantStatements,
  missedStatements,
  outboxStatements,
  removalStatements,
} from '../../postgres/capture/capture-sql.js';
import { CAPTURE_EVENTS, OutboxObjects } from '../../postgres/capture/outbox-objects.js';
import {
  tablesOfEntities,
  triggerStates,
  type StateOfTable,
  type TriggerState,
} from './trigger-states.js';

/** Insufficient privilege, or a read-only database. */
const NOT_ALLOWED: readonly unknown[] = ['42501', '25006'];
const LOCKED = '55P03';
/** A lock timeout or a deadlock. */
const IN_USE: readonly unknown[] = [LOCKED, '40P01'];
/** How long to wait for a table in use: meanwhile, other writers of the table wait too. */
const TABLE_WAIT_MS = 300;
/** How long to wait for another instance that installs triggers. */
const INSTALLER_WAIT_MS = 2_000;
/** The advisory lock for installing triggers. */
const INSTALL_LOCK = 6_517_833_402_118;

/** The outbox of one namespace in the database. */
export interface OutboxState {
  /** `tidemark_<namespace>` */
  readonly schema: string;
  /** Rows that no instance has relayed yet. */
  readonly rows: number;
  /** Age of the oldest row, in seconds. */
  readonly ageSeconds: number;
}

/** Options of `CacheTriggers.install`. */
export interface InstallOptions {
  /**
   * Whether the statements of the data source are intercepted: then the schema change is published, which invalidates
   * answers that missed writes while triggers were missing. Otherwise the outbox records it.
   */
  readonly isWatched?: boolean;
}

/** Some tables lack triggers. */
export class CacheTriggersError extends Error {
  constructor(
    message: string,
    /** `schema.name` of each table. */
    readonly tables: readonly string[],
    /** The SQL that enables the triggers of tables where they exist and are disabled. */
    readonly enabling: readonly string[],
    /** A table was in use. Otherwise the message has the SQL for the owner of the tables. */
    readonly isTemporary: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

interface Failure extends StateOfTable {
  readonly error: unknown;
}

/** Installs, checks and removes the triggers, for migrations and commands. */
export class CacheTriggers {
  readonly #objects: OutboxObjects;

  /**
   * @param source initialised
   * @param catalogOf returns the catalog, if it is loaded already
   */
  constructor(
    private readonly source: DataSource,
    namespace: string,
    private readonly catalogOf: (run: RunSql) => Promise<Catalog> = async (run) => {
      await run(PLAIN_PLANS);
      return loadCatalogOf(source, run);
    },
  ) {
    this.#objects = new OutboxObjects(namespace);
  }

  /** The statements that install everything, whatever exists already, with the grants that this role then needs. */
  async statements(): Promise<readonly string[]> {
    return this.#statementsFor((await this.#states()).map(({ table }) => table));
  }

  /**
   * Installs triggers that are missing, outdated or disabled; returns the tables that it has changed. It takes no lock
   * if there is nothing to do. Each table is changed in a separate transaction, which waits for the table only briefly,
   * so that no other table is locked meanwhile.
   *
   * @throws CacheTriggersError if the role lacks the right or a table is in use; the other tables are done by then
   */
  async install({ isWatched = false }: InstallOptions = {}): Promise<readonly string[]> {
    const installed: string[] = [];
    const failures: Failure[] = [];
    await this.#installOutbox();
    for (const { table, state } of await this.#wanting()) {
      try {
        const isDone = await this.#inTransaction((run) => this.#installOn(table, isWatched, run));
        if (isDone) installed.push(table.id);
      } catch (error) {
        if (![...IN_USE, ...NOT_ALLOWED].includes(sqlStateOf(error))) throw error;
        failures.push({ table, state, error });
      }
    }
    if (failures.length === 0) return installed;
    const refused = failures.filter(({ error }) => NOT_ALLOWED.includes(sqlStateOf(error)));
    if (refused.length > 0) {
      const cause = refused[0]?.error as Error;
      const reason = `The role of the service may not install the triggers (${cause.message})`;
      throw await this.#lacking(refused, reason, { cause });
    }
    const tables = failures.map(({ table }) => table.id);
    const message = `The tables were in use and are tried again: ${tables.join(', ')}.`;
    throw new CacheTriggersError(message, tables, [], true, { cause: failures[0]?.error });
  }

  /** @throws CacheTriggersError if tables lack triggers; the message has the SQL */
  async require(): Promise<void> {
    const wanting = await this.#wanting();
    if (wanting.length === 0) return;
    throw await this.#lacking(wanting, 'Triggers are missing, outdated or disabled');
  }

  /** Removes the triggers from every table, and the outbox with its rows. */
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

  /** The state of each table that should have triggers. */
  async check(): Promise<readonly TriggerState[]> {
    return (await this.#states()).map(({ table, state }) => ({ table: table.id, state }));
  }

  /** All outboxes of the database: remove those that no service reads any more. */
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

  /**
   * Creates the outbox, which unpublishable writes need even without tables. If the role lacks the right, the error
   * comes from the tables that need the outbox.
   */
  async #installOutbox(): Promise<void> {
    try {
      await this.#inTransaction((run) => this.#makeOutbox(run));
    } catch (error) {
      if (![LOCKED, ...NOT_ALLOWED].includes(sqlStateOf(error))) throw error;
    }
  }

  async #makeOutbox(run: RunSql): Promise<void> {
    const [found] = await run(
      `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = 'outbox'`,
      [this.#objects.schema],
    );
    if (found) return;
    await lock(run);
    for (const sql of outboxStatements(this.#objects)) await run(sql);
  }

  /** Returns whether it changed anything: another instance may have been first. */
  async #installOn(table: TableFacts, isWatched: boolean, run: RunSql): Promise<boolean> {
    await lock(run);
    await run(`SET LOCAL lock_timeout = ${TABLE_WAIT_MS}`);
    const [state] = await triggerStates([table], this.#objects, run);
    if (state?.state === 'installed') return false;
    const statements = state?.state === 'outdated' ? functionStatements : captureStatements;
    await this.#makeOutbox(run);
    for (const sql of statements(table, this.#objects)) await run(sql);
    if (!isWatched) for (const sql of missedStatements(this.#objects)) await run(sql);
    return true;
  }

  #inTransaction<T>(work: (run: RunSql) => Promise<T>): Promise<T> {
    return inImplicitTransaction(this.source, 'START TRANSACTION', (runner) =>
      work((sql, values) => runner.query(sql, values)),
    );
  }

  #states(): Promise<readonly StateOfTable[]> {
    return readPrimary(this.source, async (run) => {
      const tables = tablesOfEntities(this.source, await this.catalogOf(run));
      return triggerStates(tables, this.#objects, run);
    });
  }

  async #wanting(): Promise<readonly StateOfTable[]> {
    return (await this.#states()).filter(({ state }) => state !== 'installed');
  }

  async #lacking(
    wanting: readonly StateOfTable[],
    reason: string,
    options?: ErrorOptions,
  ): Promise<CacheTriggersError> {
    const tables = wanting.map(({ table }) => table);
    const enabling = wanting
      .filter(({ state }) => state === 'disabled')
      .map(({ table }) => enablingStatement(table, this.#objects));
    const sql = (await this.#statementsFor(tables)).join(';\n');
    const message = `${reason}. Let the owner of the tables run this:\n${sql};`;
    const ids = tables.map(({ id }) => id);
    return new CacheTriggersError(message, ids, enabling, false, options);
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
}

async function lock(run: RunSql): Promise<void> {
  await run(`SET LOCAL lock_timeout = ${INSTALLER_WAIT_MS}`);
  await run(`SELECT pg_advisory_xact_lock(${INSTALL_LOCK})`);
}
