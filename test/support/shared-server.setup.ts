/**
 * One PostgreSQL server for all spec files of a run; each file creates separate databases in it. Further servers start
 * with a copy of its data from before.
 */
import { PostgresServer } from './postgres-server.js';

export default async function start(): Promise<() => Promise<void>> {
  const server = await PostgresServer.start();
  process.env['TIDEMARK_TEST_POSTGRES_URL'] = server.url;
  process.env['TIDEMARK_TEST_POSTGRES_MODEL'] = await server.copyData();
  return () => server.stop();
}
