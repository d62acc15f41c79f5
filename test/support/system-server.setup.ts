/** One PostgreSQL server of the system's version for all spec files that run on it. */
import { PostgresServer } from './postgres-server.js';

export default async function start(): Promise<() => Promise<void>> {
  const server = await PostgresServer.start({ binaries: process.env['SYSTEM_POSTGRES_BIN'] });
  process.env['TIDEMARK_SYSTEM_POSTGRES_URL'] = server.url;
  return () => server.stop();
}
