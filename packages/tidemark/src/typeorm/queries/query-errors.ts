/** Errors of queries that the cache must not answer. Their messages contain no values. */
import type { PlanDifference } from '../../core/ports/cache-events.js';

/** The query belongs to another data source than the cache. */
export class OtherDataSourceError extends Error {
  /** @param other name of the query's data source; `own`: of the cache's. */
  constructor(query: string, other: string, own: string) {
    super(
      `The query ${query} is of the data source ${other}, and the cache is that of ${own}: it would run on the ` +
        'wrong one. Build the query from the DataSource that `build` is given, and name that as `dataSource` of ' +
        'defineQuery. A data source that is not the default one needs a separate cache: ' +
        "QueryCacheModule.forRoot({ dataSource: 'name' }), which @InjectQueryCache('name') injects.",
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

/** The query ran before the application follows its writes. */
export class NotFollowedError extends Error {
  constructor(query: string) {
    super(
      `The query ${query} ran before the application follows its writes, when the cache can neither answer it nor ` +
        'store its answer: run it in onModuleInit, in onApplicationBootstrap or later, or without the cache.',
    );
    this.name = 'NotFollowedError';
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
