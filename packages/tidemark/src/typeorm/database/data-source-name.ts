import type { DataSource } from 'typeorm';

/** The name of a data source without a name, as `@nestjs/typeorm` has it. */
export const DEFAULT_DATA_SOURCE = 'default';

/** Name and database, for messages. Omits host and user: a message may leave the process. */
export function nameOf({ options, driver }: DataSource): string {
  // Nest keeps the name in the options; TypeORM no longer has one.
  const { name } = options as { name?: unknown };
  const database = driver.database === undefined ? '' : ` (database ${driver.database})`;
  return `"${typeof name === 'string' ? name : DEFAULT_DATA_SOURCE}"${database}`;
}
