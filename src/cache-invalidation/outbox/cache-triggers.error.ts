import type { TableFacts } from '../../query-cache/index.js';

/** Some tables lack triggers. */
export class CacheTriggersError extends Error {
  /** `schema.name` of each. */
  readonly tables: readonly string[];
  /** A table was in use; else the message has the SQL for the owner of the tables. */
  readonly isTemporary: boolean;
  /** The SQL for those of the tables whose triggers are there and switched off. */
  readonly enabling: readonly string[];

  constructor(
    message: string,
    {
      tables,
      isTemporary = false,
      enabling = [],
    }: {
      tables: readonly TableFacts[];
      isTemporary?: boolean;
      enabling?: readonly string[];
    },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.tables = tables.map(({ id }) => id);
    this.isTemporary = isTemporary;
    this.enabling = enabling;
  }
}
