import { MigrationExecutor, type DataSource } from 'typeorm';

/** The advisory lock for migrations. */
const MIGRATION_LOCK = 6_517_833_402_117;

/**
 * Migrates the schema, one instance at a time, each migration in a separate transaction.
 * @returns the names of the migrations that ran.
 */
export async function migrate(source: DataSource): Promise<string[]> {
  const runner = source.createQueryRunner();
  try {
    await runner.connect();
    await runner.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    try {
      // On the connection that holds the lock: a small pool may have no other.
      const executor = new MigrationExecutor(source, runner);
      executor.transaction = 'each';
      const ran = await executor.executePendingMigrations();
      return ran.map(({ name }) => name);
    } finally {
      await runner.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`);
    }
  } finally {
    await runner.release();
  }
}
