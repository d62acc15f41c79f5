import { DatabaseError } from '../database.error.js';

/** The embedded database cannot run. */
export class EmbeddedDatabaseError extends DatabaseError {
  constructor(problem: string, remedy: string, options?: ErrorOptions) {
    super(`The embedded PostgreSQL ${problem}. ${remedy}`, options);
  }
}

/** The remedy if only another database helps. */
export const USE_ANOTHER_DATABASE =
  'Set DATABASE_URL to a PostgreSQL 15 or later, such as postgres://user:password@host:5432/name.';
