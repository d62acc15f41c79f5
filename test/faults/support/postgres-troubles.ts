/** The outages of PostgreSQL, one for each row of the table in trouble-by-policy.spec.ts. */
import type { PostgresServer } from '../../support/postgres-server.js';

export interface PostgresTrouble {
  readonly how: string;
  readonly begin: (postgres: PostgresServer) => Promise<void>;
  readonly end: (postgres: PostgresServer) => Promise<void>;
}

export const stillness: PostgresTrouble = {
  how: 'stands still for longer than a lease',
  begin: async (postgres) => postgres.pause(),
  end: async (postgres) => postgres.resume(),
};

export const postgresEnds: readonly PostgresTrouble[] = [
  { how: 'is ended fast', begin: (postgres: PostgresServer) => postgres.end('fast') },
  { how: 'is ended immediately', begin: (postgres: PostgresServer) => postgres.end('immediate') },
  {
    how: 'ends by kill -9 of its first process',
    begin: (postgres: PostgresServer) => postgres.killPostmaster(),
  },
].map((way) => ({ ...way, end: (postgres) => postgres.restart() }));
