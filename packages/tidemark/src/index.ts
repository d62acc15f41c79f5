/** The public names of Tidemark. */
export {
  CacheEvents,
  type CacheEventMap,
  type Invalidation,
  type Regions,
  type WriteStatement,
} from './core/ports/cache-events.js';
export { ResponseHeaderError } from './core/response-headers.js';
export type { WritePolicy } from './core/write-protocol.js';
export { CacheHealth, type CacheHealthReport } from './nestjs/cache-health.js';
export type { CacheInvalidationModuleOptions } from './nestjs/cache-invalidation.options.js';
export { CacheInvalidationModule } from './nestjs/cache-invalidation.module.js';
export { CacheQuery } from './nestjs/cache-query.decorator.js';
export { CacheInterceptor } from './nestjs/cache.interceptor.js';
export { hours, minutes, seconds } from './nestjs/duration.js';
export {
  checkPreconditions,
  hasPreconditions,
  type Preconditions,
} from './nestjs/http/preconditions.js';
export { LeavesBody, type CacheQueryOptions } from './nestjs/http/routes.js';
export { QueryCache, type QueryExplanation, type Region } from './nestjs/query-cache.js';
export type { RunOptions } from './nestjs/lifetime.js';
export { QueryCacheModule } from './nestjs/query-cache.module.js';
export {
  QueryCacheOptions,
  type CacheMode,
  type QueryCacheModuleOptions,
} from './nestjs/query-cache.options.js';
export type { QueryCacheClusterOptions } from './nestjs/redis-cluster-option.js';
export type { QueryCacheRedisOptions, QueryCacheSentinelOptions } from './nestjs/redis-option.js';
export { OriginInterceptor } from './nestjs/origin.interceptor.js';
export { getCacheToken, getQueryCacheToken, InjectQueryCache } from './nestjs/tokens.js';
export type { WarmOptions, WarmResult } from './nestjs/warm.js';
export { WriteOrigins } from './nestjs/write-origins.js';
export { WriteRefusedError } from './nestjs/write-refused.error.js';
export { PooledConnectionError } from './typeorm/database/direct-connection.js';
export { OutboxRelay, type RelayState } from './postgres/capture/outbox-relay.js';
export type { CredentialsSource, RedisCredentials } from './redis/connection/credentials.js';
export { CacheRegion } from './typeorm/cache-region.decorator.js';
export {
  BoundQuery,
  type Answered,
  type CachedAnswer,
  type QueryShape,
} from './typeorm/queries/bound-query.js';
export {
  defineQuery,
  type DefinedQuery,
  type FindDefinition,
  type QueryDefinition,
  type SqlDefinition,
} from './typeorm/queries/define-query.js';
export type { ExplainedDependency } from './typeorm/queries/explain-plan.js';
export {
  asQuery,
  countQuery,
  existsQuery,
  findAndCountQuery,
  findOneQuery,
  findQuery,
  sqlQuery,
  type BuilderOptions,
  type InlineOptions,
  type MappingOptions,
} from './typeorm/queries/inline-queries.js';
export { AmbiguousQueryError } from './typeorm/queries/query-definitions.js';
export {
  ImpureQueryError,
  NotASelectError,
  NotFollowedError,
  OtherDataSourceError,
} from './typeorm/queries/query-errors.js';
export {
  CacheTriggers,
  CacheTriggersError,
  type InstallOptions,
  type OutboxState,
} from './typeorm/triggers/cache-triggers.js';
export { TriggerKeeper, type TriggersOption } from './typeorm/triggers/trigger-keeper.js';
export type { TriggerState } from './typeorm/triggers/trigger-states.js';
