import type { DataSourceOptions } from 'typeorm';
import { boundedDriver, DriverBounds } from './bounded-driver.js';
import { migrations } from './migrations/index.js';

export interface DataSourceSettings {
  /** Secret. */
  readonly url: string;
  /** Most connections at the same time. */
  readonly poolSize: number;
  readonly bounds?: DriverBounds;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** After this time without a packet the kernel probes the server. */
const KEEP_ALIVE_MS = 10_000;

/**
 * Bounds a transaction of the service (1 min idle, 5 min in all). This also bounds how long the regions that it writes
 * stay uncached if its client hangs. A server on Linux also ends the statement of a connection that was closed, unless
 * its operator has set this otherwise. These limits are statements, since a server refuses a connection that names an
 * unknown setting.
 */
const LIMIT_TRANSACTIONS = `
  SELECT set_config('idle_in_transaction_session_timeout', '60000', false),
    CASE WHEN current_setting('server_version_num')::int >= 170000
      THEN set_config('transaction_timeout', '300000', false) END,
    (SELECT set_config(name, '1000', false) FROM pg_settings
      WHERE name = 'client_connection_check_interval' AND source = 'default'
        AND version() LIKE '%linux%')`;

/** The only definition of the data source, without its entities. */
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
    driver: boundedDriver(bounds),
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      onConnect: (connection: { query(config: object): Promise<unknown> }) =>
        connection.query({ text: LIMIT_TRANSACTIONS, query_timeout: CONNECT_TIMEOUT_MS }),
    },
  };
}
