import type { DataSourceOptions } from 'typeorm';
import { boundedDriver, DriverBounds } from './bounded-driver.js';
import { migrations } from './migrations/index.js';

export interface DataSourceSettings {
  /** Secret. */
  readonly url: string;
  /** Most connections at once. */
  readonly poolSize: number;
  readonly bounds?: DriverBounds;
}

/** The part of a node-postgres client that a new connection is set up with. */
interface NewConnection {
  query(question: object): Promise<unknown>;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** After so long without a packet it is asked whether the server is still there: an idle connection may have been lost. */
const KEEP_ALIVE_MS = 10_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
const TRANSACTION_TIMEOUT_MS = 300_000;
const CONNECTION_CHECK_MS = 1_000;
const TRANSACTION_TIMEOUT_SINCE = 170_000;

/** The one definition of the data source. The entities are added by who creates it. */
export function dataSourceOptions({
  url,
  poolSize,
  bounds = new DriverBounds(),
}: DataSourceSettings): Extract<DataSourceOptions, { type: 'postgres' }> {
  return {
    type: 'postgres',
    url,
    poolSize,
    applicationName: 'tidemark',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    migrations: [...migrations],
    migrationsTableName: 'migrations',
    migrationsRun: false,
    synchronize: false,
    logging: false,
    driver: boundedDriver(bounds),
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      onConnect: limitTransactions,
    },
  };
}

/**
 * Bounds how long a transaction of the service may take, and with it how long the regions it
 * writes stay uncached when its client hangs. A server on Linux also ends the statement of a
 * connection that was closed, unless its operator has set this otherwise. Set by statement, since a
 * server that does not know a setting refuses a connection that names it.
 */
async function limitTransactions(connection: NewConnection): Promise<void> {
  await connection.query({
    text: `SELECT set_config('idle_in_transaction_session_timeout', $1, false),
       CASE WHEN current_setting('server_version_num')::int >= $3::int
         THEN set_config('transaction_timeout', $2, false) END,
       (SELECT set_config(name, $4, false) FROM pg_settings
         WHERE name = 'client_connection_check_interval' AND source = 'default'
           AND version() LIKE '%linux%')`,
    values: [
      String(IDLE_IN_TRANSACTION_TIMEOUT_MS),
      String(TRANSACTION_TIMEOUT_MS),
      TRANSACTION_TIMEOUT_SINCE,
      String(CONNECTION_CHECK_MS),
    ],
    query_timeout: CONNECT_TIMEOUT_MS,
  });
}
