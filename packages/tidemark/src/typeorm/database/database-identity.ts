/** Identifies the database among those of all servers. */
import type { DataSource } from 'typeorm';

export interface DatabaseIdentity {
  /** Identifies the server's data directory: standbys share it; a server restored from a dump has another one. */
  readonly systemIdentifier: string;
  /** Identifies the database within that server. */
  readonly oid: string;
}

const IDENTITY = `
SELECT c.system_identifier::text AS "systemIdentifier", d.oid::text AS oid
  FROM pg_catalog.pg_control_system() AS c, pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database()`;

const INSUFFICIENT_PRIVILEGE = '42501';

/** The role may not read the identity, so a database of the same name on another server cannot be ruled out. */
export class DatabaseIdentityError extends Error {
  constructor(role: string) {
    super(
      'QueryCacheModule option `redis` needs to know which database server this is, and the role ' +
        `${role} may not ask: let a superuser run, in this database, ` +
        `GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO ${role};`,
    );
    this.name = 'DatabaseIdentityError';
  }
}

/**
 * Queries the primary.
 *
 * @throws DatabaseIdentityError where the role of the data source may not read the identity.
 * @throws Error where the data source is not connected.
 */
export async function readDatabaseIdentity(source: DataSource): Promise<DatabaseIdentity> {
  if (!source.isInitialized) {
    throw new Error(
      'QueryCacheModule option `redis` needs a data source that is connected when the module is made, to know ' +
        'which database server this is: leave `manualInitialization` out.',
    );
  }
  const runner = source.createQueryRunner('master');
  try {
    const [row] = (await runner.query(IDENTITY)) as [DatabaseIdentity];
    return row;
  } catch (error) {
    if ((error as { code?: unknown }).code !== INSUFFICIENT_PRIVILEGE) throw error;
    const sql = 'SELECT pg_catalog.quote_ident(current_user) AS role';
    const [{ role }] = (await runner.query(sql)) as [{ role: string }];
    throw new DatabaseIdentityError(role);
  } finally {
    await runner.release();
  }
}

/** Any role may read it, unlike the identity, which outlives a restart of the server. */
const RUNNING_DATABASE = `
SELECT pg_catalog.concat(pg_catalog.pg_postmaster_start_time(), ' ', oid) AS database
  FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`;

/** Whether both data sources lead to the same database. Unknown, so `true`, where one is not connected. */
export async function mayBeOneDatabase(...sources: [DataSource, DataSource]): Promise<boolean> {
  if (!sources.every(({ isInitialized }) => isInitialized)) return true;
  const [one, other] = await Promise.all(
    sources.map(async (source) => {
      const [row] = (await source.query(RUNNING_DATABASE)) as [{ database: string }];
      return row.database;
    }),
  );
  return one === other;
}

interface PoolOptions {
  readonly password?: unknown;
  /** The `url` of the data source; node-postgres prefers what it holds. */
  readonly connectionString?: string | undefined;
}

/** The password of the data source; `undefined` where there is none or each connection gets a new one. */
export function fixedPasswordOf(source: DataSource): string | undefined {
  const { master } = source.driver as unknown as { master: { options: PoolOptions } };
  const { connectionString, password } = master.options;
  const found = (connectionString && passwordIn(connectionString)) || password;
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function passwordIn(url: string): string | undefined {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).password) : undefined;
}
