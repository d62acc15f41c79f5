/** Puts the triggers on the tables of the data source's entities, looks after them and takes them off. */
import { QueryFailedError, type DataSource } from 'typeorm';
import {
  loadCatalogueOf,
  PLAIN_PLANS,
  rollBack,
  type TableFacts,
} from '../../query-cache/index.js';
import {
  captureBody,
  captureStatements,
  functionStatements,
  grantStatements,
  missedStatements,
  outboxStatements,
  removalStatements,
} from './capture-sql.js';
import { CAPTURE_EVENTS, OutboxObjects } from './outbox-objects.js';

const NOT_ALLOWED = '42501';
const LOCKED = '55P03';
const DEADLOCK = '40P01';
/** How long a table that is in use is waited for. */
const LOCK_TIMEOUT_MS = 2_000;
/** Among the advisory locks of a database, the one under which triggers are installed. */
const INSTALL_LOCK = 6_517_833_402_118;

export interface TriggerState {
  /** `schema.name` */
  readonly table: string;
  /** `outdated`: made for other columns, or by another release; `disabled`: somebody switched it off. */
  readonly state: 'installed' | 'missing' | 'outdated' | 'disabled';
}

/** The outbox of a namespace, whoever it belongs to. */
export interface OutboxState {
  readonly schema: string;
  readonly rows: number;
  /** Age of the oldest row, in seconds. */
  readonly ageSeconds: number;
}

/** The role may not do it, and the message has the SQL for one that may; or a table is in use. */
export class CacheTriggersError extends Error {}

type RunSql = (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

export class CacheTriggers {
  readonly #objects: OutboxObjects;

  /** @param source initialised */
  constructor(
    private readonly source: DataSource,
    namespace: string,
  ) {
    this.#objects = new OutboxObjects(namespace);
  }

  /** The statements that install everything, whatever is there, with what this role then needs. */
  async statements(): Promise<readonly string[]> {
    const [row] = await this.source.query<{ role: string }[]>('SELECT current_user::text AS role');
    const tables = await this.#inTransaction((run) => this.#tables(run));
    return [
      ...outboxStatements(this.#objects),
      ...tables.flatMap((table) => captureStatements(table, this.#objects)),
      ...missedStatements(this.#objects),
      ...grantStatements(row?.role ?? '', this.#objects),
    ];
  }

  /**
   * Installs what is missing, outdated or switched off; answers the tables it has changed. A table
   * that is in use for longer than two seconds is not waited for: nobody else could write it meanwhile.
   *
   * @param isWatched whether the statements of the data source are followed: the change of the schema is
   *   then announced, and ends what was missed while triggers were missing. Else the outbox says so.
   * @throws CacheTriggersError where the role may not, or a table is in use
   */
  async install({ isWatched = false } = {}): Promise<readonly string[]> {
    const runner = this.source.createQueryRunner();
    const run: RunSql = (sql, values) => runner.query(sql, values);
    let connection: unknown;
    let failure: unknown;
    try {
      connection = await runner.connect();
      await runner.startTransaction();
      await run(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await run(`SELECT pg_advisory_xact_lock(${INSTALL_LOCK})`);
      const tables = await this.#tables(run);
      const checked = await this.#check(tables, run);
      const states = new Map(checked.map(({ table, state }) => [table, state]));
      const wanting = tables.filter(({ id }) => states.get(id) !== 'installed');
      if (wanting.length > 0) for (const sql of outboxStatements(this.#objects)) await run(sql);
      for (const table of wanting) {
        const isOutdated = states.get(table.id) === 'outdated';
        const statements = isOutdated ? functionStatements : captureStatements;
        for (const sql of statements(table, this.#objects)) await run(sql);
      }
      if (wanting.length > 0 && !isWatched) {
        for (const sql of missedStatements(this.#objects)) await run(sql);
      }
      await runner.commitTransaction();
      return wanting.map(({ id }) => id);
    } catch (error) {
      if (connection) await rollBack(connection, error, () => runner.rollbackTransaction());
      failure = error;
    } finally {
      await runner.release();
    }
    // Only now: there may be no other connection.
    throw await this.#explained(failure);
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
    return this.#inTransaction(async (run) => this.#check(await this.#tables(run), run));
  }

  #inTransaction<T>(work: (run: RunSql) => Promise<T>): Promise<T> {
    return this.source.transaction((manager) => work((sql, values) => manager.query(sql, values)));
  }

  async #check(tables: readonly TableFacts[], run: RunSql): Promise<readonly TriggerState[]> {
    const found = (await run(
      `SELECT n.nspname || '.' || c.relname AS table,
              CASE WHEN p.proconfig @> '{client_min_messages=notice}' THEN p.prosrc END AS source,
              CASE WHEN bool_and(t.tgenabled = 'A') THEN 'A' ELSE 'D' END AS enabled,
              count(*)::int AS count
         FROM pg_catalog.pg_trigger t
         JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
         JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace
        WHERE t.tgname = ANY ($1::text[]) AND f.nspname = $2
        GROUP BY 1, p.oid`,
      [CAPTURE_EVENTS.map((event) => this.#objects.trigger(event)), this.#objects.schema],
    )) as { table: string; source: string | null; enabled: string; count: number }[];
    const byTable = new Map(found.map((row) => [row.table, row]));
    return tables.map((facts) => {
      const body = captureBody(facts, this.#objects);
      return { table: facts.id, state: stateOf(byTable.get(facts.id), body) };
    });
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

  /**
   * The tables of entities, of their relations, and the partitions and children of those.
   *
   * @param run in a transaction
   */
  async #tables(run: RunSql): Promise<readonly TableFacts[]> {
    await run(PLAIN_PLANS);
    const catalogue = await loadCatalogueOf(this.source, run);
    const tables = new Map<string, TableFacts>();
    for (const { schema, tableName, tableType } of this.source.entityMetadatas) {
      if (tableType === 'view') continue;
      const facts = catalogue.table(schema, tableName);
      const family = facts ? [facts.id, ...facts.relatives] : [];
      for (const id of family) {
        const member = catalogue.tableById(id);
        if (member?.kind === 'table' || member?.kind === 'partitioned') tables.set(id, member);
      }
    }
    return [...tables.values()].toSorted((a, b) => a.id.localeCompare(b.id));
  }

  async #explained(error: unknown): Promise<unknown> {
    const { code, message } = (error instanceof QueryFailedError ? error.driverError : {}) as {
      code?: string;
      message?: string;
    };
    if (code === LOCKED || code === DEADLOCK) {
      return new CacheTriggersError(
        'The triggers were not installed, since a table is in use: run `npm run cache:triggers -- --install` later.',
        { cause: error },
      );
    }
    if (code !== NOT_ALLOWED) return error;
    const sql = (await this.statements()).join(';\n');
    return new CacheTriggersError(
      `The role of the service may not install the triggers (${message}). Let the owner of the tables ` +
        `run this:\n${sql};`,
      { cause: error },
    );
  }
}

function stateOf(
  row: { source: string | null; enabled: string; count: number } | undefined,
  body: string,
): TriggerState['state'] {
  if (!row || row.count < CAPTURE_EVENTS.length) return 'missing';
  if (row.source !== body) return 'outdated';
  return row.enabled === 'A' ? 'installed' : 'disabled';
}
