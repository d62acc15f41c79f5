/** One PostgreSQL server of the system's version for all spec files that run on it. */
import { register } from 'node:module';

let server;

export default async function startShared() {
  register('./typescript-loader.mjs', import.meta.url);
  const { PostgresServer } = await import('./postgres-server.ts');
  server = await PostgresServer.start({ binaries: process.env.SYSTEM_POSTGRES_BIN });
  process.env.TIDEMARK_SYSTEM_POSTGRES_URL = server.url;
}

export async function stopShared() {
  await server?.stop();
}
