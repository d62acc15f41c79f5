/**
 * One PostgreSQL server for all spec files of a run; each file creates separate databases in it. Further servers start
 * with a copy of its data from before.
 */
import { register } from 'node:module';

let server;

export default async function startShared() {
  register('./typescript-loader.mjs', import.meta.url);
  const { PostgresServer } = await import('./postgres-server.ts');
  server = await PostgresServer.start();
  process.env.TIDEMARK_TEST_POSTGRES_URL = server.url;
  process.env.TIDEMARK_TEST_POSTGRES_MODEL = await server.copyData();
}

export async function stopShared() {
  await server?.stop();
}
