/** One PostgreSQL server for all spec files of a run; each file creates separate databases in it. */
import { register } from 'node:module';

let server;

export default async function startShared() {
  register('./typescript-loader.mjs', import.meta.url);
  const { PostgresServer } = await import('./postgres-server.ts');
  server = await PostgresServer.start();
  process.env.TIDEMARK_TEST_POSTGRES_URL = server.url;
}

export async function stopShared() {
  await server?.stop();
}
