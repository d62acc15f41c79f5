/** The public surface of the query cache. */
export { CacheHealth, type CacheHealthReport } from './cache-health.js';
export { CacheInterceptor } from './cache.interceptor.js';
export { CacheQuery } from './cache-query.decorator.js';
export { CacheRegion } from './cache-region.decorator.js';
export {
  BoundQuery,
  defineQuery,
  type DefinedQuery,
  type QueryDefinition,
  type QueryShape,
} from './define-query.js';
export { CacheEvents, type CacheEventMap } from './core/cache-events.js';
export { ResponseHeaderError } from './core/response-headers.js';
export { LeavesBody, type CacheQueryOptions } from './http/routes.js';
export { checkPreconditions, hasPreconditions, type Preconditions } from './http/preconditions.js';
export { hours, minutes, seconds } from './core/duration.js';
export { QueryCache, type QueryExplanation, type Region, type RunOptions } from './query-cache.js';
export { ImpureQueryError, OtherDataSourceError } from './query-errors.js';
export { QueryCacheModule } from './query-cache.module.js';
export {
  QUERY_CACHE_OPTIONS,
  QueryCacheOptions,
  type QueryCacheModuleOptions,
} from './query-cache.options.js';

/** For the write side. */
export { CacheLifecycle } from './cache-lifecycle.js';
export { backgroundTimers } from './core/clock.js';
export { randomToken } from './core/token.js';
export { versionNamesOf, type TouchedTable } from './core/touched-regions.js';
export type { CaptureTriggers, Catalogue, TableAction, TableFacts } from './core/table-facts.js';
export type { StatementAnalysis, WriteTarget } from './core/statement-analysis.js';
export { unknownVersion, WHOLE_TABLE } from './core/version-name.js';
export { WriteFollowing, type StatementHooks } from './core/write-following.js';
export { VersionStore, type TableVersionNames } from './core/version-store.js';
export { DatabaseSchema, loadCatalogueOf, PLAIN_PLANS } from './sql/database-schema.js';
export { FOLLOWS_WRITES_ALONE } from './sql/direct-read.js';
export { OpenTransactions } from './sql/open-transactions.js';
export { ENCLOSED_STATEMENT_LOCK } from './sql/postgres-writer-activity.js';
export {
  isTemporary,
  parseSessionNames,
  SESSION_NAMES,
  type SessionNames,
} from './sql/session-names.js';
export { IS_STANDBY, StandbyError } from './sql/standby-watch.js';
export { closeConnection, idleLimit, inOwnTransaction, rollBack } from './sql/transaction-end.js';
export { ANY_WRITE } from './sql/statement-classifier.js';
export { tablesOfRows } from './sql/touched.js';
export { CAPTURES } from './sql/relation-queries.js';
export { captureOf } from './sql/catalogue-tables.js';
export { FIRST_OID_OF_USERS } from './sql/writing-functions.js';
