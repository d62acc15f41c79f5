/** Errors of queries that the cache must not answer. Their messages contain no values. */
import type { DataSource } from 'typeorm';
import type { PlanDifference } from '../../core/ports/cache-events.js';

/** The query belongs to another data source than the cache. */
export class OtherDataSourceError extends Error {
  constructor(query: string, other: DataSource, own: DataSource) {
    super(
      `The query ${query} is of the data source ${nameOf(other)}, and the cache is that of ` +
        `${nameOf(own)}: it would run on the wrong one. Build the query from the DataSource that ` +
        '`build` is given, or run it yourself, without the cache.',
    );
    this.name = 'OtherDataSourceError';
  }
}

/** The SQL text of a query is no SELECT. */
export class NotASelectError extends Error {
  constructor(query: string) {
    super(
      `The SQL text of the query ${query} must be one SELECT. Send any other statement with DataSource.query: ` +
        'the cache sees what it writes.',
    );
    this.name = 'NotASelectError';
  }
}

/** The definition reads more than its parameters. */
export class ImpureQueryError extends Error {
  constructor(query: string, difference: PlanDifference) {
    super(impurity(query, difference));
    this.name = 'ImpureQueryError';
  }
}

export function impurity(query: string, difference: PlanDifference): string {
  return (
    `The query ${query} was made again of the same parameters, and its ${difference} differ: ` +
    `${difference === 'mapped rows' ? '`map`, `answer` or `headers`' : '`build`'} reads something else as well, such as ` +
    'AsyncLocalStorage, a variable or the clock. This is a tenant leak: a hit runs none of them, so one ' +
    'tenant gets the rows of another. Pass what it reads as a parameter, or declare it: ' +
    'defineQuery({ ..., context: () => tenant }).'
  );
}

/** Omits host and user: a message may leave the process. */
function nameOf({ options, driver }: DataSource): string {
  // Nest keeps the name in the options; TypeORM no longer has one.
  const { name } = options as { name?: unknown };
  const database = driver.database === undefined ? '' : ` (database ${driver.database})`;
  return `"${typeof name === 'string' ? name : 'default'}"${database}`;
}
